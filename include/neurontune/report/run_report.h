#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/data/skipped_report.h"
#include "neurontune/export.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/metrics/split_metrics.h"
#include "neurontune/model/split_model.h"
#include "neurontune/repair/tuned_head.h"

namespace neurontune {

/// What a run found, as its files tell it.
struct RunReport {
  std::string recipe;                         ///< whose settings were the start
  std::string criterion;                      ///< by which the head was selected
  uint64_t seed = 0;                          ///< of everything random
  std::string device;                         ///< that it ran on
  TunedHead result;                           ///< what the method gave
  std::vector<std::string> warnings;          ///< of the data and of the result
  std::map<std::string, SplitMetrics> erm;    ///< a split's name → the ERM head's metrics
  std::map<std::string, SplitMetrics> tuned;  ///< and the selected head's
  std::optional<SplitVerification> verified;  ///< where a model was given
  std::map<std::string, std::vector<SkippedReport>> skipped;  ///< a split's name → left out
  std::map<std::string, std::string> files;  ///< a file that belongs to it → its XXH3 digest
  std::map<std::string, double> seconds;     ///< a step's name → wall time
};

/// The split whose figures a person wants to see first: test, or else the last one.
NEURONTUNE_EXPORT std::string shown_split(const RunReport& report);

/// result.json. Everything but `seconds` is the same for the same inputs and seed.
NEURONTUNE_EXPORT std::string json_text(const RunReport& report);

/// trajectory.jsonl: a line an epoch.
NEURONTUNE_EXPORT std::string trajectory_jsonl(const NeuronTuneResult& result);

/// Writes spuriousness.safetensors: scores, mask, median_correct, median_misclassified, float32;
/// with a test also effect, p_value, effect_given_margin and p_value_given_margin.
NEURONTUNE_EXPORT void write_spuriousness(const std::filesystem::path& path,
                                          const SpuriousnessScores& scores,
                                          const BiasedDimensions& biased,
                                          const std::optional<MistakeTest>& test);

}  // namespace neurontune
