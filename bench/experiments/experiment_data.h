#pragma once

#include <CLI/App.hpp>
#include <list>
#include <string>
#include <vector>

#include "neurontune/data/embeddings.h"
#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/metrics/split_metrics.h"
#include "neurontune/model/head.h"
#include "neurontune/pipeline/config.h"

namespace neurontune::experiments {

/// The settings every experiment takes, as `neurontune run` has them.
class SettingFlags {
 public:
  explicit SettingFlags(CLI::App& command);
  SettingFlags(const SettingFlags&) = delete;  // the command points into it

  /// @throws OptionError if a value is not a setting's
  Config resolve() const;

 private:
  struct Flag {
    CLI::Option* option;
    SettingFlag setting;
  };
  std::list<Flag> flags_;
};

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
