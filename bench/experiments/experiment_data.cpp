#include "experiment_data.h"

#include <ATen/ATen.h>

#include "neurontune/pipeline/evaluate.h"

namespace neurontune::experiments {

ExperimentData::ExperimentData(const std::string& path, const Config& config)
    : folder(EmbeddingFolder::open(path)),
      options(neuron_tune_options(config)),
      erm(to(folder.head(), at::kCPU, at::kFloat)),
      space(group_space(folder)) {}

LabelledEmbeddings ExperimentData::labelled(const std::string& split) const {
  const EmbeddingSplit& found = folder.split(split);
  return {found.embeddings.to(at::kFloat), found.labels};
}

SplitMetrics ExperimentData::on_test(const Head& head) const {
  return evaluate(head, folder.split("test"), space);
}

}  // namespace neurontune::experiments
