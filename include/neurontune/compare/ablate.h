#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/compare/ablation_report.h"
#include "neurontune/export.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/pipeline/page_options.h"

namespace neurontune {

/// A setting and the values it takes: "identify.mask_value=0,0.2,0.4".
struct NEURONTUNE_EXPORT Sweep {
  std::string key;                  ///< dotted: "tune.epochs"
  std::vector<std::string> values;  ///< as on a command line

  /// @throws OptionError if the text is not KEY=VALUE,VALUE,… or the key is not one that a sweep
  ///         may change: identify.*, tune.*, select.*, shortcut.*, splits.*, recipe
  static Sweep parse(const std::string& text);
};

/// Every combination of the sweeps' values, the last sweep's going round first; of no sweep one
/// without settings. A recipe stands first among a combination's settings, which win over it.
/// @throws OptionError if a key is swept twice
NEURONTUNE_EXPORT std::vector<std::vector<SettingFlag>> grid(const std::vector<Sweep>& sweeps);

/// A point of a sweep to be run.
struct SweepPoint {
  std::vector<SettingFlag> settings;  ///< one of each sweep
  Config config;                      ///< with these settings
};

/// What `ablate` is to run.
struct AblateOptions {
  std::vector<SweepPoint> points;  ///< at least one; data and device are the first one's
  int64_t seeds = 1;               ///< each point's `config.seed` and those after it, at least 1
  bool trajectory = false;         ///< whether every epoch is held against its true figures
  PageOptions page;                ///< whether report.html is written
};

/// Runs the method at every point with every seed, on the same embeddings, and holds the heads
/// against the test split. Writes ablate.json, ablate.csv and report.html into `out`. A point that
/// fails is reported as such, and the others go on.
///
/// Attributes reach the metrics only.
///
/// @throws Error as `run` does, and if there is no test split
NEURONTUNE_EXPORT AblationReport ablate(const AblateOptions& options,
                                        const std::filesystem::path& out,
                                        const ProgressFn& progress = {}, const LogFn& log = {});

}  // namespace neurontune
