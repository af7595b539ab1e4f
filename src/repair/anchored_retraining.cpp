#include "neurontune/repair/anchored_retraining.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <string>
#include <utility>

#include "base/option_checks.h"
#include "core/split_checks.h"
#include "core/splits.h"
#include "core/stratified_folds.h"
#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"
#include "neurontune/shortcut/rebalanced_retraining.h"
#include "numerics/cross_product.h"

namespace neurontune {
namespace {

/// exp(−γ p) of each sample's class over the sum of its class: float64 [N].
at::Tensor weights_of(const at::Tensor& probability, const at::Tensor& labels, int64_t classes,
                      double gamma) {
  const auto raised = (probability * -gamma).exp();
  const auto one_hot = at::one_hot(labels, classes).to(at::kDouble);
  const auto totals = cross_product(one_hot, raised.unsqueeze(1)).squeeze(1);
  return raised / totals.index_select(0, labels);
}

void check(const LabelledEmbeddings& data, const Head& erm) {
  check_linear(erm, "anchored retraining");
  check_split(data, erm, "the split");
  check_every_class(data.labels, erm.classes(), "the split");
}

/// The predictions of each setting's head on samples that it was not fitted to: int64 [S, N].
at::Tensor out_of_fold(const LabelledEmbeddings& data, const Head& erm,
                       const AnchoredOptions& options) {
  const auto settings = static_cast<int64_t>(anchored_settings(options).size());
  auto predicted = at::zeros({settings, data.labels.size(0)}, data.labels.options());
  const auto fold_of = stratified_folds(data.labels, erm.classes(), options.folds, options.seed);
  for (int64_t fold = 0; fold < options.folds; ++fold) {
    const auto heads = anchored_heads(those(data, fold_of.ne(fold)), erm, options);
    const auto rows = fold_of.eq(fold).nonzero().squeeze(1);
    const auto left_out = data.embeddings.index_select(0, rows);
    for (int64_t i = 0; i < settings; ++i)
      predicted[i].index_copy_(0, rows, predictions(heads[static_cast<std::size_t>(i)], left_out));
  }
  return predicted;
}

}  // namespace

void AnchoredOptions::validate() const {
  check_each(
      "penalties", penalties, [](double value) { return value > 0; }, "a number over 0");
  check_each(
      "gammas", gammas, [](double value) { return value >= 0; }, "0 or more");
  check_between("iterations", iterations, 1, 100'000);
  check_number("tolerance", tolerance, tolerance > 0, "a number over 0");
  check_between("folds", folds, 2, 100);
}

std::vector<AnchoredSetting> anchored_settings(const AnchoredOptions& options) {
  std::vector<AnchoredSetting> settings;
  for (const double gamma : options.gammas)
    for (const double penalty : options.penalties) settings.push_back({penalty, gamma});
  return settings;
}

std::vector<Head> anchored_heads(const LabelledEmbeddings& data, const Head& erm,
                                 const AnchoredOptions& options,
                                 std::shared_ptr<const Curvature> curvature) {
  options.validate();
  check(data, erm);
  const c10::NoGradGuard no_grad;
  const auto detached = checked(data);
  const auto probability = logits(erm, detached.embeddings)
                               .to(at::kDouble)
                               .softmax(1)
                               .gather(1, data.labels.unsqueeze(1))
                               .squeeze(1);
  RebalancingOptions fitting;
  fitting.iterations = options.iterations;
  fitting.tolerance = options.tolerance;
  RebalancedRetrainer retrainer(detached, erm, fitting, std::move(curvature));
  const auto every_dimension = at::ones({erm.embedding_dim()}, erm.weight.options());
  std::vector<Head> heads(anchored_settings(options).size());
  for (std::size_t j = 0; j < options.penalties.size();
       ++j)  // a penalty's fits share its curvature
    for (std::size_t i = 0; i < options.gammas.size(); ++i) {
      if (i == 0) retrainer.anchor_at(erm, options.penalties[j]);
      const auto weights = weights_of(probability, data.labels, erm.classes(), options.gammas[i]);
      heads[i * options.penalties.size() + j] = retrainer.fit(weights, every_dimension);
    }
  return heads;
}

AnchoredResult anchored(const LabelledEmbeddings& data, const Head& erm,
                        const AnchoredOptions& options) {
  options.validate();
  check(data, erm);
  if (fewest_of_a_class(data.labels, erm.classes()) < options.folds)
    throw Error("a class has fewer samples than there are folds (" + std::to_string(options.folds) +
                ")");
  const c10::NoGradGuard no_grad;
  const auto predicted = out_of_fold(data, erm, options);
  const auto settings = anchored_settings(options);
  std::size_t best = 0;
  double of_best = -1;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const double worst =
        accuracy_metrics(predicted[static_cast<int64_t>(i)], data.labels, erm.classes())
            .worst_class_accuracy;
    if (worst > of_best) {
      best = i;
      of_best = worst;
    }
  }
  auto only = options;
  only.penalties = {settings[best].penalty};
  only.gammas = {settings[best].gamma};
  return {anchored_heads(data, erm, only).front(), settings[best], of_best};
}

}  // namespace neurontune
