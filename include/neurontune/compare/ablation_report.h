#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/metrics/seed_summary.h"
#include "neurontune/metrics/split_metrics.h"
#include "neurontune/repair/candidate.h"

namespace neurontune {

/// An epoch of a run, with what selection does not see: true figures on both splits.
struct EpochReport {
  int64_t epoch = 0;           ///< from 1
  double loss = 0;             ///< mean over the epoch's batches
  std::optional<double> sfit;  ///< none where no class is usable
  int64_t biased = 0;          ///< dimensions masked
  SplitMetrics identify;       ///< on the identification split
  SplitMetrics test;           ///< on the test split
};

/// One run: a setting of the sweep with one seed.
struct AblationRun {
  uint64_t seed = 0;                      ///< of the run
  Source source = Source::erm;            ///< of the selected head
  std::optional<int64_t> selected_epoch;  ///< 0 is the ERM head; none of heads without epochs
  int64_t biased = 0;                     ///< dimensions masked in it
  std::optional<double> sfit;             ///< of the selected head, where it has one
  std::vector<std::string> warnings;      ///< what a user should know, one sentence each
  std::vector<EpochReport> trajectory;    ///< where it was asked for
};

/// One point of a sweep, over all seeds.
struct AblationPoint {
  std::vector<std::pair<std::string, std::string>> settings;  ///< key → value, as swept
  std::vector<AblationRun> runs;                              ///< one a seed
  MetricSummaries test;                                       ///< accuracy on the test split
  double seconds = 0;                                         ///< wall time of a run, on average
  std::string failure;  ///< why it could not be run, and then it has no figures
};

/// A sweep over settings.
struct AblationReport {
  std::string embeddings;             ///< the folder
  std::string device;                 ///< that it was run on
  int64_t dimensions = 0;             ///< M
  std::vector<uint64_t> seeds;        ///< that each point was run with
  SplitMetrics erm;                   ///< the ERM head's, on test
  std::vector<AblationPoint> points;  ///< of the sweep, in its order
  std::vector<std::string> warnings;  ///< of the data and the sweeps, one sentence each
};

/// ablate.json: `points`, each with `settings`, `test` and `runs`, and what they were run on.
NEURONTUNE_EXPORT std::string json_text(const AblationReport& report);

/// A row a point: its settings, mean and standard deviation of each figure.
NEURONTUNE_EXPORT std::string ablation_csv(const AblationReport& report);

}  // namespace neurontune
