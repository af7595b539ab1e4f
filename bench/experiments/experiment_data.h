#pragma once

#include <string>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/metrics/split_metrics.h"
#include "neurontune/pipeline/config.h"

namespace neurontune::experiments {

/// A folder of embeddings and a method to run on it, on the CPU in float32.
struct ExperimentData {
  /// @throws Error as EmbeddingFolder::open does
  ExperimentData(const std::string& path, const Config& config);

  /// What the method may see of a split.
  LabelledEmbeddings labelled(const std::string& split) const;

  /// A head's metrics on test.
  SplitMetrics on_test(const Head& head) const;

  EmbeddingFolder folder;
  NeuronTuneOptions options;
  Head erm;
  GroupSpace space;  ///< for metrics only
};

}  // namespace neurontune::experiments
