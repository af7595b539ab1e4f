#include "neurontune/method/single_steps.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "base/computing_type.h"
#include "core/split_checks.h"
#include "method/epochs.h"
#include "method/ranked_split.h"
#include "neurontune/base/error.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

std::vector<RetrainedEpoch> retrain(const LabelledEmbeddings& tuning, const Head& erm,
                                    const at::Tensor& mask, const RetrainingOptions& options,
                                    uint64_t seed, const ProgressFn& progress) {
  options.validate();
  check_split(tuning, erm, "the tuning split");
  const c10::NoGradGuard no_grad;
  const auto data = checked(tuning);
  const auto head = to(erm, data.embeddings.device(), computing_type(data.embeddings));
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto start = starting_head(head, options.start, generator);
  HeadRetrainer retrainer(data.embeddings, data.labels, start, options, generator);
  if (mask.defined()) retrainer.set_mask(mask.to(data.embeddings.device()));
  std::vector<RetrainedEpoch> epochs;
  for (int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const double loss = retrainer.run_epoch();
    epochs.push_back({loss, retrainer.head()});
    if (!is_finite(epochs.back().head)) throw Error(infinite_retraining(epoch, options));
    if (progress) progress("tune", epoch, options.epochs);
  }
  return epochs;
}

std::vector<CheckpointFigures> checkpoint_figures(const LabelledEmbeddings& held_out,
                                                  const std::vector<Head>& heads,
                                                  Activation activation) {
  if (heads.empty()) return {};
  for (const auto& head : heads) {
    check_split(held_out, head, "the held-out split");
    if (head.classes() != heads.front().classes())
      throw Error("a head has " + std::to_string(head.classes()) + " classes, the first one " +
                  std::to_string(heads.front().classes()));
  }
  const c10::NoGradGuard no_grad;
  const auto data = checked(held_out);
  const auto classes = heads.front().classes();
  RankedSplit ranked(data, classes, activation);
  std::vector<CheckpointFigures> figures;
  for (const auto& given : heads) {
    const auto head = to(given, data.embeddings.device(), computing_type(data.embeddings));
    const auto predicted = predictions(head, data.embeddings);
    figures.push_back({spuriousness_fitness(ranked.scores(predicted)),
                       accuracy_metrics(predicted, data.labels, classes).balanced_accuracy});
  }
  return figures;
}

}  // namespace neurontune
