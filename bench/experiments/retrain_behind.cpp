#include "retrain_behind.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "neurontune/method/retraining.h"
#include "neurontune/method/selection.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune::experiments {

std::vector<Head> retrain_behind(const at::Tensor& mask, const LabelledEmbeddings& tuning,
                                 const Head& start, const NeuronTuneOptions& options) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(options.seed);
  const Head from = options.tune.start == Start::erm ? start : fresh_head(start, generator);
  HeadRetrainer retrainer(tuning.embeddings, tuning.labels, from, options.tune, generator);
  retrainer.set_mask(mask);
  std::vector<Head> heads;
  for (int64_t epoch = 0; epoch < options.tune.epochs; ++epoch) {
    retrainer.run_epoch();
    heads.push_back(retrainer.head());
  }
  return heads;
}

std::optional<std::size_t> select_head(const std::vector<Head>& heads,
                                       const LabelledEmbeddings& identification,
                                       const NeuronTuneOptions& options) {
  std::vector<CheckpointFigures> figures;
  for (const Head& head : heads) {
    const at::Tensor predicted = predictions(head, identification.embeddings);
    const auto scores = spuriousness_scores(identification.embeddings, identification.labels,
                                            predicted, head.classes(), options.identify.activation);
    const auto accuracy = accuracy_metrics(predicted, identification.labels, head.classes());
    figures.push_back({spuriousness_fitness(scores), accuracy.balanced_accuracy});
  }
  const auto candidates = ranked_candidates(figures, options.select);
  if (candidates.empty()) return std::nullopt;
  return candidates.front();
}

nlohmann::ordered_json picked_json(const std::vector<Head>& heads,
                                   std::optional<std::size_t> picked, const ExperimentData& data) {
  const SplitMetrics test = data.on_test(picked ? heads[*picked] : data.erm);
  nlohmann::ordered_json json = {{"epoch", picked ? *picked + 1 : 0},
                                 {"worst_group_accuracy", nullptr},
                                 {"mean_accuracy", test.accuracy.mean_accuracy}};
  if (test.groups) json["worst_group_accuracy"] = test.groups->worst_group_accuracy;
  return json;
}

nlohmann::ordered_json retrained_json(const at::Tensor& mask,
                                      const LabelledEmbeddings& identification,
                                      const ExperimentData& data) {
  const auto heads = retrain_behind(mask, data.labelled("train"), data.erm, data.options);
  return {{"selected", picked_json(heads, select_head(heads, identification, data.options), data)},
          {"last", picked_json(heads, heads.size() - 1, data)}};
}

}  // namespace neurontune::experiments
