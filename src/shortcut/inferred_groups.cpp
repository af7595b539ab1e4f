#include "neurontune/shortcut/inferred_groups.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/checks.h"
#include "base/computing_type.h"
#include "base/describe.h"
#include "base/option_checks.h"
#include "core/split_checks.h"
#include "neurontune/base/error.h"
#include "numerics/aligned_rows.h"
#include "numerics/cross_product.h"
#include "numerics/fixed_blocks.h"
#include "shortcut/group_fit.h"

namespace neurontune {
namespace {

/// Steps of the calibration in a round at most; it goes on in the next.
constexpr int64_t kCalibrations = 20;
/// Or until the logarithms of the mean beliefs are as near to the prior's.
constexpr double kCalibrated = 1e-3;
constexpr double kLeastMean = 1e-12;
/// Of the effects, those that hang on less than this share of the largest weight are 0: a value
/// that hardly any sample has left could be anywhere.
constexpr double kLeastWeight = 1e-4;

/// log p(a | y): a value that is not its class's own is as likely in every class, and as any other
/// such value.
at::Tensor log_prior(const GroupData& data, const at::Tensor& evidence, int64_t classes,
                     const InferredGroupsOptions& options) {
  const auto count = [&](const at::Tensor& samples) {
    return at::bincount(data.labels.masked_select(samples.logical_and(data.present)), {}, classes)
        .to(at::kDouble);
  };
  const auto smoothing = options.smoothing;
  const auto others = count(evidence.ne(data.labels)) + smoothing;
  const auto all = count(at::ones_like(data.present)) + smoothing * static_cast<double>(classes);
  const auto rate = (others / all).quantile(options.error_quantile);
  auto prior = (rate / (classes - 1)).expand({classes, classes}).clone();
  prior.diagonal().copy_(1 - rate);
  return prior.log();
}

/// The classes of the samples present: [N, C], in the inputs' dtype.
at::Tensor present_one_hot(const GroupData& data, int64_t classes) {
  const auto one_hot = at::one_hot(data.labels, classes) * data.present.unsqueeze(1);
  return one_hot.to(data.inputs.scalar_type());
}

/// The logarithm of p(a | y) exp(sₐᵀ Σ⁻¹ (x − c_y − sₐ / 2)), with x the scaled z: float64 [N, C].
/// The scaling is folded into Σ⁻¹ s, so that no embedding is scaled.
at::Tensor logits_of(const at::Tensor& embeddings, const at::Tensor& labels,
                     const ColumnScaling& scaling, const InferredGroups& model) {
  const auto& discriminants = model.discriminants;
  const auto dtype = computing_type(embeddings);
  at::Tensor offsets, folded;  // [C, C] and [M, C]
  on_one_thread(embeddings.device(), [&] {
    folded = discriminants / scaling.deviation.unsqueeze(1);
    offsets = model.log_prior - model.class_effects.mm(discriminants) -
              (model.attribute_effects * discriminants.t()).sum(1) / 2 -
              (folded * scaling.mean.unsqueeze(1)).sum(0);
    folded = folded.to(dtype);
  });
  auto logits = at::empty({embeddings.size(0), discriminants.size(1)}, discriminants.options());
  for_fixed_blocks(embeddings.device(), embeddings.size(0), kRowsPerBlock,
                   [&](int64_t first, int64_t last) {
                     const auto rows = aligned_rows(embeddings.slice(0, first, last).to(dtype));
                     const auto products = rows.mm(folded);
                     logits.slice(0, first, last)
                         .copy_(products.to(at::kDouble) +
                                offsets.index_select(0, labels.slice(0, first, last)));
                   });
  return logits;
}

/// Beliefs from logits, each class's moved by its row of the calibration [C, C].
at::Tensor calibrated(const at::Tensor& logits, const at::Tensor& labels,
                      const at::Tensor& calibration) {
  auto beliefs = at::empty_like(logits);
  for_fixed_blocks(
      logits.device(), logits.size(0), kRowsPerBlock, [&](int64_t first, int64_t last) {
        const auto moved = calibration.index_select(0, labels.slice(0, first, last));
        beliefs.slice(0, first, last).copy_((logits.slice(0, first, last) + moved).softmax(1));
      });
  return beliefs;
}

/// Expectation-maximisation on scaled embeddings.
class Fit {
 public:
  Fit(const GroupData& data, const at::Tensor& evidence, int64_t classes,
      const InferredGroupsOptions& options)
      : inputs_(data.inputs),
        labels_(data.labels),
        factor_(data.factor),
        present_(data.present.to(at::kDouble)),
        samples_(data.present.sum().item<double>()),
        classes_(classes),
        options_(options),
        one_hot_(present_one_hot(data, classes)),
        unscaled_{at::zeros({inputs_.size(1)}, factor_.options()),
                  at::ones({inputs_.size(1)}, factor_.options())} {
    model_.log_prior = log_prior(data, evidence, classes, options);
    model_.calibration = at::zeros_like(model_.log_prior);
    const double rest = (1 - options.confidence) / static_cast<double>(classes - 1);
    believe(at::full({labels_.size(0), classes}, rest, factor_.options())
                .scatter_(1, evidence.unsqueeze(1), options.confidence));
  }

  InferredGroups run() {
    for (int64_t round = 0; round < options_.rounds; ++round) {
      maximise();
      expect();
    }
    return std::move(model_);
  }

 private:
  /// Samples that are not present add nothing to any sum.
  void believe(const at::Tensor& beliefs) { beliefs_ = beliefs * present_.unsqueeze(1); }

  /// Beliefs whose mean over the samples of a class is, in each value that is not its own, at most
  /// the prior: rare values would grow to whatever clusters the embeddings have.
  void expect() {
    const auto logits = logits_of(inputs_, labels_, unscaled_, model_);
    const auto class_sizes =
        one_hot_.sum(0, /*keepdim=*/false, at::kDouble).clamp_min(1).unsqueeze(1);
    at::Tensor beliefs;
    for (int64_t step = 0;; ++step) {
      beliefs = calibrated(logits, labels_, model_.calibration);
      if (step == kCalibrations) break;
      const auto means = group_sizes(beliefs) / class_sizes;
      const auto missing = model_.log_prior - means.clamp_min(kLeastMean).log();
      const auto before = model_.calibration;
      model_.calibration =
          (before + missing - missing.diagonal().unsqueeze(1)).clamp_max(0).fill_diagonal_(0);
      if ((model_.calibration - before).abs().max().item<double>() <= kCalibrated) break;
    }
    believe(beliefs);
  }

  /// Weighted least squares of the effects c and s, and Σ⁻¹ sᵀ for the covariance Σ of what they
  /// leave.
  ///
  /// With D the design, a row (one-hot y, beliefs in a) a sample, and V the samples' weights, the
  /// effects Θ = (c; s) solve DᵀVD Θ = DᵀVz, and the scatter of the residuals is zᵀz − ΘᵀF − FᵀΘ,
  /// with F = Dᵀz − DᵀD Θ / 2. A constant may move from c to s: the pseudo-inverse takes the
  /// smallest solution.
  void maximise() {
    const auto design = at::cat({one_hot_, beliefs_.to(inputs_.scalar_type())}, 1);
    const auto weighted = design * weights().unsqueeze(1).to(design.scalar_type());
    const auto sums = cross_product(design, inputs_);
    const auto weighted_sums = cross_product(weighted, inputs_);
    const auto products = cross_product(design, design);
    const auto weighted_products = cross_product(weighted, design);
    on_one_thread(inputs_.device(), [&] {
      const auto symmetric = (weighted_products + weighted_products.t()) / 2;
      const auto effects =
          at::linalg_pinv(symmetric, kLeastWeight, /*hermitian=*/true).mm(weighted_sums);
      model_.class_effects = effects.slice(0, 0, classes_);
      model_.attribute_effects = effects.slice(0, classes_);
      model_.discriminants = discriminants(effects, sums - products.mm(effects) / 2);
    });
  }

  /// Σ_a p(a) / (samples of (y, a) + group_samples), of mean 1: [N]
  at::Tensor weights() const {
    const auto rare = (group_sizes(beliefs_) + options_.group_samples).reciprocal();  // [C, C]
    const auto weights = (beliefs_ * rare.index_select(0, labels_)).sum(1);
    at::Tensor mean;
    on_one_thread(inputs_.device(), [&] { mean = weights.sum() / samples_; });
    return weights / mean;
  }

  /// Of the samples present: [C, C].
  at::Tensor group_sizes(const at::Tensor& beliefs) const {
    return cross_product(one_hot_.to(at::kDouble), beliefs);
  }

  /// Σ⁻¹ sᵀ, with Σ = A − α (ΘᵀF + FᵀΘ) and A = α zᵀz + … I, which is factored already, by
  /// Woodbury's formula: with L = (Θ; F) and J = (0 1; 1 0), Σ = A − α LᵀJL, so
  /// Σ⁻¹ = A⁻¹ + A⁻¹Lᵀ (J / α − L A⁻¹Lᵀ)⁻¹ L A⁻¹.
  at::Tensor discriminants(const at::Tensor& effects, const at::Tensor& products) const {
    const double alpha = (1 - options_.shrinkage) / samples_;
    const auto low_rank = at::cat({effects, products}, 0);          // L
    const auto solved = at::cholesky_solve(low_rank.t(), factor_);  // A⁻¹Lᵀ
    const auto swap = at::eye(low_rank.size(0), low_rank.options()).roll(effects.size(0), 0);  // J
    const auto inner = swap / alpha - low_rank.mm(solved);
    const auto of_attribute = solved.slice(1, classes_, 2 * classes_);  // A⁻¹sᵀ
    return of_attribute + solved.mm(at::linalg_solve(inner, low_rank.mm(of_attribute)));
  }

  at::Tensor inputs_;   ///< scaled [N, M]
  at::Tensor labels_;   ///< int64 [N]
  at::Tensor factor_;   ///< of A, float64 [M, M]
  at::Tensor present_;  ///< float64 [N]: 1 of the samples fitted to, 0 of the others
  double samples_;      ///< how many are
  int64_t classes_;
  const InferredGroupsOptions& options_;
  at::Tensor one_hot_;      ///< [N, C], 0 of samples that are not present
  ColumnScaling unscaled_;  ///< what is still to be done to the inputs
  at::Tensor beliefs_;      ///< float64 [N, C], 0 of samples that are not present
  InferredGroups model_;
};

}  // namespace

void InferredGroupsOptions::validate() const {
  check_number("confidence", confidence, confidence > 0 && confidence < 1, "over 0, below 1");
  check_number("smoothing", smoothing, smoothing > 0, "a number over 0");
  check_number("error_quantile", error_quantile, error_quantile >= 0 && error_quantile <= 1,
               "0 to 1");
  check_number("shrinkage", shrinkage, shrinkage > 0 && shrinkage <= 1, "over 0, up to 1");
  check_between("rounds", rounds, 1, 1000);
  check_number("group_samples", group_samples, group_samples > 0, "a number over 0");
}

at::Tensor InferredGroups::beliefs(const LabelledEmbeddings& data) const {
  check_labelled(data.embeddings, data.labels, log_prior.size(0), "the split");
  if (data.embeddings.size(1) != mean.size(0))
    throw Error("the split: embeddings are " + describe(data.embeddings) + ", expected [N, " +
                std::to_string(mean.size(0)) + "]");
  const c10::NoGradGuard no_grad;
  return calibrated(logits_of(data.embeddings.detach(), data.labels, {mean, deviation}, *this),
                    data.labels, calibration);
}

at::Tensor InferredGroups::effects() const {
  at::Tensor mean_effect;
  on_one_thread(attribute_effects.device(), [&] { mean_effect = attribute_effects.mean(0); });
  return (attribute_effects - mean_effect) * deviation;
}

at::Tensor InferredGroups::distances() const {
  at::Tensor products;  // sᵀ Σ⁻¹ s, [C, C]
  on_one_thread(discriminants.device(), [&] { products = attribute_effects.mm(discriminants); });
  const auto squares = products.diagonal();
  return (squares.unsqueeze(0) + squares.unsqueeze(1) - products - products.t())
      .clamp_min(0)
      .sqrt();
}

InferredGroups infer_groups(const LabelledEmbeddings& held_out, const at::Tensor& evidence,
                            int64_t classes, const InferredGroupsOptions& options) {
  options.validate();
  if (classes < 2)
    throw Error("there is " + std::to_string(classes) + " class; groups need at least two");
  check_labelled(held_out.embeddings, held_out.labels, classes, "the held-out split");
  check_finite(held_out, "the held-out split");
  check_class_indices(evidence, "evidence", classes, held_out.labels.size(0));
  const c10::NoGradGuard no_grad;
  const auto scaling = column_scaling(held_out.embeddings);
  GroupData data{scaling,
                 scaled(held_out.embeddings.detach(), scaling),
                 held_out.labels,
                 at::ones_like(held_out.labels, at::kBool),
                 {}};
  factor_second_moments(data, gram(data.inputs), options.shrinkage);
  return fit_groups(data, evidence, classes, options);
}

void factor_second_moments(GroupData& data, at::Tensor gram, double shrinkage) {
  const auto samples = data.present.sum().item<double>();
  const auto one_hot = present_one_hot(data, data.labels.max().item<int64_t>() + 1);
  const auto sums = cross_product(one_hot, data.inputs);
  const auto sizes = one_hot.sum(0, /*keepdim=*/false, at::kDouble).clamp_min(1).unsqueeze(1);
  // Columns that count as constant do not: their number is not to change what the others give.
  const auto varying =
      std::max<int64_t>(1, data.scaling.constant.logical_not().sum().item<int64_t>());
  on_one_thread(gram.device(), [&] {
    auto moments = gram.div_(samples);
    const auto of_means = (sums.square() / sizes).sum() / samples;
    const auto variance = (moments.diagonal().sum() - of_means) / varying;
    moments.mul_(1 - shrinkage).diagonal().add_(variance * shrinkage);
    at::Tensor info;
    std::tie(data.factor, info) = at::linalg_cholesky_ex(moments);
    if (info.item<int>() != 0) throw NoVariation();
  });
}

InferredGroups fit_groups(const GroupData& data, const at::Tensor& evidence, int64_t classes,
                          const InferredGroupsOptions& options) {
  auto model = Fit(data, evidence, classes, options).run();
  model.mean = data.scaling.mean;
  model.deviation = data.scaling.deviation;
  return model;
}

}  // namespace neurontune
