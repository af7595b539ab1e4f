#include "neurontune/shortcut/rebalanced_retraining.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <string>
#include <utility>
#include <vector>

#include "base/computing_type.h"
#include "base/describe.h"
#include "base/option_checks.h"
#include "core/split_checks.h"
#include "neurontune/base/error.h"
#include "numerics/column_scaling.h"
#include "numerics/cross_product.h"
#include "numerics/fixed_blocks.h"
#include "numerics/lbfgs.h"
#include "numerics/row_products.h"
#include "numerics/row_sums.h"

namespace neurontune {
namespace {

/// That many rows of 2,048 floats stay in a core's cache between the two products.
constexpr int64_t kRowsAtOnce = 128;
/// Rows on which a fit to more than that begins.
constexpr int64_t kWarmUpRows = 16384;

/// Softmax regression of z on y in parameters V [C, M′ + 1], the last column the bias: logits are
/// (V ∘ f)(z − μ) + b, with f the mask over the deviations, and μ = 0 where there is no bias.
struct Problem {
  at::Tensor embeddings;  ///< [N, M]
  at::Tensor columns;     ///< int64 [M′]: those kept, or undefined for all
  at::Tensor one_hot;     ///< [N, C]
  at::Tensor weights;     ///< float64 [N], of sum 1
  at::Tensor mean;        ///< μ, float64 [M′]
  at::Tensor factors;     ///< f, float64 [M′] or [C, M′]
  at::Tensor effects;     ///< s, float64 [K, M′]
  at::Tensor anchor;      ///< what the penalty is on the distance of V from: float64 [C, M′]
  bool has_bias = true;
  double penalty = 0, attribute_penalty = 0;

  int64_t dimensions() const { return mean.size(0); }
  int64_t classes() const { return one_hot.size(1); }
  at::ScalarType dtype() const { return computing_type(embeddings); }

  /// The same on every `step`-th sample.
  Problem thinned(int64_t step) const {
    auto part = *this;
    for (auto* tensor : {&part.embeddings, &part.one_hot, &part.weights})
      *tensor = tensor->slice(0, 0, tensor->size(0), step);
    on_one_thread(weights.device(), [&] { part.weights = part.weights / part.weights.sum(); });
    return part;
  }

  double value(const at::Tensor& parameters, at::Tensor& gradient) const {
    const auto unscaled = raw(parameters);
    const auto matrix = unscaled.first.to(dtype());  // [C, M′]
    const auto shift = unscaled.second.to(dtype());
    const auto zero = at::zeros({classes(), dimensions() + 2}, parameters.options());
    const auto sums = sum_over_rows(one_hot.size(0), kRowsAtOnce, zero,
                                    [&](int64_t first, int64_t last, const at::Tensor& part) {
                                      add_rows(first, last, matrix, shift, part);
                                    });
    double value = 0;
    on_one_thread(parameters.device(), [&] {
      const auto residuals = sums.narrow(1, dimensions(), 1);  // Σ w (p − y), [C, 1]
      const auto shifts = unscaled.first.mm(effects.t());      // of the logits, [C, K]
      const auto of_raw = sums.narrow(1, 0, dimensions()) - residuals * mean +
                          shifts.mm(effects) * attribute_penalty;
      const auto moved = parameters.narrow(1, 0, dimensions()) - anchor;
      gradient.narrow(1, 0, dimensions()).copy_(of_raw * factors + moved * penalty);
      gradient.narrow(1, dimensions(), 1).copy_(has_bias ? residuals : at::zeros_like(residuals));
      value = sums.select(1, dimensions() + 1).sum().item<double>() +
              penalty / 2 * moved.square().sum().item<double>() +
              attribute_penalty / 2 * shifts.square().sum().item<double>();
    });
    return value;
  }

  /// W and b on embeddings as they are, in float64: [C, M′] and [C].
  std::pair<at::Tensor, at::Tensor> raw(const at::Tensor& parameters) const {
    at::Tensor weight, bias;
    on_one_thread(parameters.device(), [&] {
      weight = parameters.narrow(1, 0, dimensions()) * factors;
      bias = parameters.select(1, dimensions()) - (weight * mean).sum(1);
    });
    return {weight, bias};
  }

 private:
  /// Adds to `part` [C, M′ + 2] the gradient of W, of b, and the loss.
  void add_rows(int64_t first, int64_t last, const at::Tensor& matrix, const at::Tensor& shift,
                const at::Tensor& part) const {
    auto inputs = embeddings.slice(0, first, last);
    if (columns.defined()) inputs = inputs.index_select(1, columns);
    inputs = inputs.to(dtype());
    const auto weight = weights.slice(0, first, last).unsqueeze(1);
    const auto target = one_hot.slice(0, first, last);
    const auto outputs = row_products(inputs, matrix) + shift;
    const auto logits = outputs.to(at::kDouble).log_softmax(1);
    const auto residuals = (logits.exp() - target) * weight;
    part.narrow(1, 0, dimensions()).add_(weighted_row_sums(residuals.to(dtype()), inputs));
    part.select(1, dimensions()).add_(residuals.sum(0));
    part.select(1, dimensions() + 1).sub_((logits * target * weight).sum(0));
  }
};

/// The inverse of the curvature of the kept columns times vectors on them: a principal submatrix of
/// the whole inverse, which is near enough. @param vectors float64 [C, M′]
at::Tensor solved(const Curvature& curvature, double penalty, const at::Tensor& columns,
                  int64_t dimensions, const at::Tensor& vectors) {
  if (!columns.defined()) return curvature.solve(vectors, penalty);
  const auto all =
      at::zeros({vectors.size(0), dimensions}, vectors.options()).index_copy_(1, columns, vectors);
  return curvature.solve(all, penalty).index_select(1, columns);
}

/// (A + μ sᵀs)⁻¹ times vectors, from A⁻¹ times vectors, by Woodbury's formula.
/// @param effects s, [K, M′]
Preconditioner with_effects(const Preconditioner& inverse, const at::Tensor& effects,
                            double penalty) {
  if (effects.size(0) == 0 || penalty == 0) return inverse;
  at::Tensor moved, inner;
  moved = inverse(effects);  // s A⁻¹
  on_one_thread(effects.device(), [&] {
    inner = at::eye(effects.size(0), effects.options()) / penalty + moved.mm(effects.t());
  });
  return [=](const at::Tensor& vectors) {
    const auto first = inverse(vectors);
    at::Tensor result;
    on_one_thread(vectors.device(), [&] {
      result = first - at::linalg_solve(inner, moved.mm(vectors.t())).t().mm(moved);
    });
    return result;
  };
}

/// The same for parameters, the biases apart.
Preconditioner preconditioner(const Preconditioner& of_weights, int64_t dimensions) {
  return [=](const at::Tensor& vector) {
    const auto values = vector.narrow(1, 0, dimensions).contiguous();
    const auto biases = vector.narrow(1, dimensions, 1) / kSoftmaxSlope;
    return at::cat({of_weights(values), biases}, 1);
  };
}

std::string shortfall_of(const Minimum& reached, const RebalancingOptions& options) {
  if (!reached.is_exhausted) return "";
  return "rebalanced retraining ended short of its minimum: no step lowers the loss any further, "
         "and the largest component of its gradient is " +
         describe(reached.largest_slope) + ", expected at most " + describe(options.tolerance);
}

}  // namespace

void RebalancingOptions::validate() const {
  check_number("penalty", penalty, penalty > 0, "a number over 0");
  check_number("attribute_penalty", attribute_penalty, attribute_penalty >= 0, "0 or more");
  check_between("iterations", iterations, 1, 100'000);
  check_number("tolerance", tolerance, tolerance > 0, "a number over 0");
}

at::Tensor rebalancing_weights(const at::Tensor& labels, const at::Tensor& beliefs,
                               int64_t classes) {
  const auto believed = beliefs.to(at::kDouble);
  const auto sizes =
      cross_product(at::one_hot(labels, classes).to(at::kDouble), believed).clamp_min(1);
  const auto groups = static_cast<double>(sizes.numel());
  return (believed / sizes.index_select(0, labels)).sum(1) / groups;
}

at::Tensor rebalancing_weights(const LabelledEmbeddings& data, const InferredGroups& groups) {
  return rebalancing_weights(data.labels, groups.beliefs(data), groups.log_prior.size(0));
}

/// The samples, the last fit, and what the penalty is on.
class RebalancedRetrainer::Regression {
 public:
  Regression(const LabelledEmbeddings& tuning, const Head& like, const RebalancingOptions& options,
             std::shared_ptr<const Curvature> curvature);

  void anchor_at(const Head& head, double penalty);
  Head fit(const at::Tensor& weights, const at::Tensor& mask, const at::Tensor& effects);
  const std::string& shortfall() const { return shortfall_; }

 private:
  int64_t dimensions() const { return deviation_.size(0); }
  void check_shapes(const at::Tensor& weights, const at::Tensor& mask,
                    const at::Tensor& effects) const;
  Problem problem(const at::Tensor& weights, const at::Tensor& mask, const at::Tensor& effects,
                  const at::Tensor& kept) const;
  Lbfgs minimiser(const Problem& problem, bool one_mask) const;
  Head head_of(const Problem& problem, const at::Tensor& parameters, const at::Tensor& kept) const;

  LabelledEmbeddings tuning_;
  Head like_;
  RebalancingOptions options_;
  at::Tensor mean_, deviation_;  ///< float64 [M]; a mean of 0 where there is no bias
  std::shared_ptr<const Curvature> curvature_;
  at::Tensor anchor_;      ///< W₀ on scaled dimensions: float64 [C, M]
  std::string shortfall_;  ///< of the last fit
  at::Tensor parameters_;  ///< of the last fit, scaled dimensions and the bias: [C, M + 1]
};

RebalancedRetrainer::Regression::Regression(const LabelledEmbeddings& tuning, const Head& like,
                                            const RebalancingOptions& options,
                                            std::shared_ptr<const Curvature> curvature)
    : tuning_{tuning.embeddings.detach(), tuning.labels, tuning.known_finite},
      like_(like),
      options_(options),
      curvature_(std::move(curvature)) {
  options.validate();
  if (!like.is_linear())
    throw Error("the head has several layers; rebalanced retraining fits a linear one");
  check_split(tuning, like, "the tuning split");
  const c10::NoGradGuard no_grad;
  const auto scaling = column_scaling(tuning_.embeddings);
  deviation_ = scaling.deviation;
  mean_ = like.bias.defined() ? scaling.mean : at::zeros_like(scaling.mean);
  parameters_ = at::zeros({like.classes(), dimensions() + 1}, deviation_.options());
  anchor_ = at::zeros({like.classes(), dimensions()}, deviation_.options());

  if (!curvature_) curvature_ = std::make_shared<Curvature>(tuning_.embeddings);
}

void RebalancedRetrainer::Regression::check_shapes(const at::Tensor& weights,
                                                   const at::Tensor& mask,
                                                   const at::Tensor& effects) const {
  const auto samples = tuning_.labels.size(0);
  const auto classes = like_.classes();
  if (weights.sizes() != at::IntArrayRef{samples})
    throw Error("the weights are " + describe(weights) + ", expected [" + std::to_string(samples) +
                "]");
  if (mask.sizes() != at::IntArrayRef{dimensions()} &&
      mask.sizes() != at::IntArrayRef{classes, dimensions()})
    throw Error("the mask is " + describe(mask) + ", expected [" + std::to_string(dimensions()) +
                "] or [" + std::to_string(classes) + ", " + std::to_string(dimensions()) + "]");
  if (effects.defined() && (effects.dim() != 2 || effects.size(1) != dimensions()))
    throw Error("the effects are " + describe(effects) + ", expected [K, " +
                std::to_string(dimensions()) + "]");
}

void RebalancedRetrainer::Regression::anchor_at(const Head& head, double penalty) {
  const c10::NoGradGuard no_grad;
  const auto weight = head.weight.detach().to(at::kDouble);
  on_one_thread(weight.device(), [&] {
    anchor_ = weight * deviation_;
    auto bias = (weight * mean_).sum(1);
    if (head.bias.defined()) bias += head.bias.detach();
    parameters_ = at::cat({anchor_, bias.unsqueeze(1)}, 1);
  });
  options_.penalty = penalty;
}

Head RebalancedRetrainer::Regression::fit(const at::Tensor& weights, const at::Tensor& mask,
                                          const at::Tensor& effects) {
  const c10::NoGradGuard no_grad;
  check_shapes(weights, mask, effects);
  const bool one_mask = mask.dim() == 1;
  const auto kept = (one_mask ? mask.ne(0) : mask.ne(0).any(0)).nonzero().squeeze(1);
  const auto whole = problem(weights, mask, effects, kept);
  const auto places = at::cat({kept, at::full({1}, dimensions(), kept.options())});  // and the bias
  auto lbfgs = minimiser(whole, one_mask);
  const auto minimum = [&](const Problem& of, const at::Tensor& start) {
    return lbfgs.minimise(start, [&](const at::Tensor& parameters, at::Tensor& gradient) {
      return of.value(parameters, gradient);
    });
  };
  auto start = parameters_.index_select(1, places);
  const int64_t samples = tuning_.labels.size(0);
  const auto some = whole.thinned((samples + kWarmUpRows - 1) / kWarmUpRows);
  if (samples > kWarmUpRows && some.weights.isfinite().all().item<bool>())
    start = minimum(some, start).parameters;
  const auto reached = minimum(whole, start);
  shortfall_ = shortfall_of(reached, options_);
  parameters_.zero_().index_copy_(1, places, reached.parameters);
  return head_of(whole, reached.parameters, kept);
}

Problem RebalancedRetrainer::Regression::problem(const at::Tensor& weights, const at::Tensor& mask,
                                                 const at::Tensor& effects,
                                                 const at::Tensor& kept) const {
  const bool masked = kept.size(0) < dimensions();
  const auto columns = [&](const at::Tensor& tensor, int64_t dim) {
    return masked ? tensor.index_select(dim, kept) : tensor;
  };
  Problem problem{
      tuning_.embeddings,
      masked ? kept : at::Tensor(),
      at::one_hot(tuning_.labels, like_.classes()),
      {},
      columns(mean_, 0),
      columns(mask.to(at::kDouble) / deviation_, -1),
      columns(effects.defined() ? effects : at::zeros({0, dimensions()}, deviation_.options()), 1),
      columns(anchor_, 1),
      like_.bias.defined(),
      options_.penalty,
      options_.attribute_penalty};
  on_one_thread(weights.device(), [&] { problem.weights = weights / weights.sum(); });
  return problem;
}

/// It looks at the problem, which must outlive it.
/// @param one_mask whether all classes have the same; under masks of their own, the effects'
///                 curvature is each class's own too, and is left out
Lbfgs RebalancedRetrainer::Regression::minimiser(const Problem& problem, bool one_mask) const {
  Preconditioner of_weights = [this, &problem](const at::Tensor& vectors) {
    return solved(*curvature_, options_.penalty, problem.columns, dimensions(), vectors);
  };
  if (one_mask)
    of_weights =
        with_effects(of_weights, problem.effects * problem.factors, options_.attribute_penalty);
  return Lbfgs(preconditioner(of_weights, problem.dimensions()),
               {options_.iterations, options_.tolerance});
}

Head RebalancedRetrainer::Regression::head_of(const Problem& problem, const at::Tensor& parameters,
                                              const at::Tensor& kept) const {
  const auto [weight, bias] = problem.raw(parameters);
  auto head = like_;
  head.weight =
      at::zeros_like(like_.weight).index_copy_(1, kept, weight.to(like_.weight.scalar_type()));
  if (like_.bias.defined()) head.bias = bias.to(like_.weight.scalar_type());
  return head;
}

RebalancedRetrainer::RebalancedRetrainer(const LabelledEmbeddings& tuning, const Head& like,
                                         const RebalancingOptions& options,
                                         std::shared_ptr<const Curvature> curvature)
    : regression_(std::make_unique<Regression>(tuning, like, options, std::move(curvature))) {}
RebalancedRetrainer::RebalancedRetrainer(RebalancedRetrainer&&) noexcept = default;
RebalancedRetrainer::~RebalancedRetrainer() = default;

void RebalancedRetrainer::anchor_at(const Head& head, double penalty) {
  regression_->anchor_at(head, penalty);
}

Head RebalancedRetrainer::fit(const at::Tensor& weights, const at::Tensor& mask,
                              const at::Tensor& effects) {
  return regression_->fit(weights, mask, effects);
}

const std::string& RebalancedRetrainer::shortfall() const { return regression_->shortfall(); }

}  // namespace neurontune
