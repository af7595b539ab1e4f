#include "neurontune/method/inferred_groups.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <string>

#include "checks.h"
#include "describe.h"
#include "method/fixed_blocks.h"
#include "method/split_checks.h"
#include "neurontune/error.h"
#include "option_checks.h"

namespace neurontune {
namespace {

constexpr int64_t kColumnsPerBlock = 64;
constexpr int64_t kRowsPerBlock = 1024;

/// aᵀ b for [N, K] and [N, M], in float64 [K, M]: a block of columns of b on one thread.
at::Tensor cross_product(const at::Tensor& a, const at::Tensor& b) {
  const auto product = at::zeros({a.size(1), b.size(1)}, b.options().dtype(at::kDouble));
  for_fixed_blocks(b.device(), b.size(1), kColumnsPerBlock, [&](int64_t first, int64_t last) {
    const auto columns = b.slice(1, first, last);
    for (int64_t row = 0; row < b.size(0); row += kRowsPerBlock) {
      const int64_t end = std::min(row + kRowsPerBlock, b.size(0));
      product.slice(1, first, last).add_(a.slice(0, row, end).t().mm(columns.slice(0, row, end)));
    }
  });
  return product;
}

/// Embeddings [N, M] scaled to mean 0 and deviation 1; constant columns become 0.
at::Tensor scaled(const at::Tensor& embeddings, const at::Tensor& mean,
                  const at::Tensor& deviation) {
  const auto dtype = embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return (embeddings.to(dtype) - mean.to(dtype)) / deviation.to(dtype);
}

struct Scaling {
  at::Tensor mean, deviation;
};

Scaling scaling_of(const at::Tensor& embeddings) {
  const auto options = embeddings.options().dtype(at::kDouble);
  Scaling scaling{at::empty({embeddings.size(1)}, options),
                  at::empty({embeddings.size(1)}, options)};
  for_fixed_blocks(
      embeddings.device(), embeddings.size(1), kColumnsPerBlock, [&](int64_t first, int64_t last) {
        const auto columns = embeddings.slice(1, first, last).to(at::kDouble);
        const auto deviation = columns.std(0, /*unbiased=*/false);
        scaling.mean.slice(0, first, last).copy_(columns.mean(0));
        scaling.deviation.slice(0, first, last).copy_(deviation.masked_fill(deviation.eq(0), 1));
      });
  return scaling;
}

/// log p(a | y): how often the head takes a class for another, smoothed.
at::Tensor log_prior(const at::Tensor& labels, const at::Tensor& predicted, int64_t classes,
                     double smoothing) {
  const auto pairs = at::bincount(labels * classes + predicted, {}, classes * classes);
  const auto counts = pairs.view({classes, classes}).to(at::kDouble) + smoothing;
  return (counts / counts.sum(1, /*keepdim=*/true)).log();
}

/// p(a | z, y) ∝ p(a | y) exp(sₐᵀ Σ⁻¹ (z − c_y − sₐ / 2)), on scaled embeddings.
at::Tensor beliefs_of(const at::Tensor& inputs, const at::Tensor& labels,
                      const InferredGroups& model) {
  const auto& discriminants = model.discriminants;
  at::Tensor offsets;  // [C, C]
  on_one_thread(inputs.device(), [&] {
    offsets = model.log_prior - model.class_effects.mm(discriminants) -
              (model.attribute_effects * discriminants.t()).sum(1) / 2;
  });
  const auto beliefs = at::empty({inputs.size(0), discriminants.size(1)}, discriminants.options());
  for_fixed_blocks(
      inputs.device(), inputs.size(0), kRowsPerBlock, [&](int64_t first, int64_t last) {
        const auto logits = inputs.slice(0, first, last).to(at::kDouble).mm(discriminants) +
                            offsets.index_select(0, labels.slice(0, first, last));
        beliefs.slice(0, first, last).copy_(logits.softmax(1));
      });
  return beliefs;
}

/// Expectation-maximisation on scaled embeddings.
class Fit {
 public:
  Fit(const LabelledEmbeddings& data, const at::Tensor& predicted, int64_t classes,
      const InferredGroupsOptions& options)
      : inputs_(data.embeddings),
        labels_(data.labels),
        classes_(classes),
        options_(options),
        one_hot_(at::one_hot(labels_, classes).to(inputs_.scalar_type())),
        gram_(cross_product(inputs_, inputs_)),
        class_sums_(cross_product(one_hot_, inputs_)) {
    model_.log_prior = log_prior(labels_, predicted, classes, options.smoothing);
    const double rest = (1 - options.confidence) / static_cast<double>(classes - 1);
    beliefs_ = at::full({labels_.size(0), classes}, rest, gram_.options())
                   .scatter_(1, predicted.unsqueeze(1), options.confidence);
  }

  InferredGroups run() {
    for (model_.iterations = 1;; ++model_.iterations) {
      const auto soft = beliefs_.to(inputs_.scalar_type());
      const auto sums = at::cat({class_sums_, cross_product(soft, inputs_)});
      const auto joint = cross_product(one_hot_, soft);
      on_one_thread(inputs_.device(), [&] { maximise(sums, joint); });
      auto beliefs = expected();
      on_one_thread(inputs_.device(), [&] {
        const auto change = (beliefs - beliefs_).abs().mean().item<double>();
        model_.converged = change <= options_.tolerance;
      });
      beliefs_ = std::move(beliefs);
      if (model_.converged || model_.iterations == options_.iterations) return std::move(model_);
    }
  }

 private:
  /// Least squares of the effects c and s, and the covariance of what they leave.
  ///
  /// With D the design, a row (one-hot y, beliefs in a) a sample, the effects Θ = (c; s) solve
  /// E[DᵀD] Θ = E[Dᵀ]z, and the residuals' scatter is zᵀz − Θᵀ E[Dᵀ]z. A constant may move from c
  /// to s: the pseudo-inverse takes the smallest solution.
  ///
  /// @param sums  Dᵀz, [2C, M]
  /// @param joint samples of each class by their value, [C, C]
  void maximise(const at::Tensor& sums, const at::Tensor& joint) {
    const auto design = at::cat(
        {at::cat({joint.sum(1).diag(), joint}, 1), at::cat({joint.t(), joint.sum(0).diag()}, 1)});
    const auto effects = at::linalg_pinv(design, 1e-12, /*hermitian=*/true).mm(sums);
    model_.class_effects = effects.slice(0, 0, classes_);
    model_.attribute_effects = effects.slice(0, classes_);
    const auto scatter = gram_ - effects.t().mm(sums);
    model_.discriminants = discriminants(scatter / labels_.size(0));
  }

  /// Σ⁻¹ sᵀ, with Σ shrunk towards the identity times its mean variance.
  at::Tensor discriminants(const at::Tensor& scatter) const {
    const auto identity = at::eye(scatter.size(0), scatter.options());
    const auto mean_variance = scatter.diagonal().mean();
    const auto shrunk =
        scatter * (1 - options_.shrinkage) + identity * (mean_variance * options_.shrinkage);
    const auto [factor, info] = at::linalg_cholesky_ex((shrunk + shrunk.t()) / 2);
    if (info.item<int>() != 0)
      throw Error(
          "the embeddings do not vary within the classes, so no attribute can be told apart in "
          "them");
    return at::cholesky_solve(model_.attribute_effects.t(), factor);
  }

  at::Tensor expected() const { return beliefs_of(inputs_, labels_, model_); }

  at::Tensor inputs_;  ///< scaled [N, M]
  at::Tensor labels_;  ///< int64 [N]
  int64_t classes_;
  const InferredGroupsOptions& options_;
  at::Tensor one_hot_;     ///< [N, C]
  at::Tensor gram_;        ///< zᵀz, float64 [M, M]
  at::Tensor class_sums_;  ///< float64 [C, M]
  at::Tensor beliefs_;     ///< float64 [N, C]
  InferredGroups model_;
};

}  // namespace

void InferredGroupsOptions::validate() const {
  check_number("confidence", confidence, confidence > 0 && confidence < 1, "over 0, below 1");
  check_number("smoothing", smoothing, smoothing > 0, "a number over 0");
  check_number("shrinkage", shrinkage, shrinkage > 0 && shrinkage <= 1, "over 0, up to 1");
  check_at_least("iterations", iterations, 1);
  check_number("tolerance", tolerance, tolerance >= 0, "0 or more");
}

at::Tensor InferredGroups::beliefs(const LabelledEmbeddings& data) const {
  check_labelled(data.embeddings, data.labels, log_prior.size(0), "the split");
  if (data.embeddings.size(1) != mean.size(0))
    throw Error("the split: embeddings are " + describe(data.embeddings) + ", expected [N, " +
                std::to_string(mean.size(0)) + "]");
  const c10::NoGradGuard no_grad;
  return beliefs_of(scaled(data.embeddings.detach(), mean, deviation), data.labels, *this);
}

InferredGroups infer_groups(const LabelledEmbeddings& held_out, const Head& erm,
                            const InferredGroupsOptions& options) {
  options.validate();
  check_split(held_out, erm, "the held-out split");
  if (erm.classes() < 2) throw Error("the head has one class; groups need at least two");
  const c10::NoGradGuard no_grad;
  const auto embeddings = held_out.embeddings.detach();
  const auto scaling = scaling_of(embeddings);
  const LabelledEmbeddings data{scaled(embeddings, scaling.mean, scaling.deviation),
                                held_out.labels};
  const auto head = to(erm, embeddings.device(), data.embeddings.scalar_type());
  auto model = Fit(data, predictions(head, embeddings), erm.classes(), options).run();
  model.mean = scaling.mean;
  model.deviation = scaling.deviation;
  return model;
}

}  // namespace neurontune
