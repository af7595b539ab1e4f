#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/baselines/afr.h"
#include "neurontune/baselines/dfr.h"
#include "neurontune/baselines/self.h"
#include "neurontune/baselines/shortcut_probe.h"
#include "neurontune/compare/comparison_report.h"
#include "neurontune/export.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/pipeline/page_options.h"

namespace neurontune {

/// Settings of a comparison.
struct NEURONTUNE_EXPORT CompareOptions {
  /// Data, splits, device, the first seed, and the settings of llr and neurontune_default; those of
  /// neurontune and neurontune_half are the same but for what the recipe `paper` fixes.
  Config config;
  std::vector<std::string> methods;  ///< names of `method_names()`; none: all that the data allows
  int64_t seeds = 5;                 ///< `config.seed` and those after it, 1 to 10000

  PageOptions page;  ///< whether report.html is written

  AfrOptions afr;                       ///< of `afr`
  DfrOptions dfr;                       ///< of `dfr`
  SelfOptions self;                     ///< of `self`
  ShortcutProbeOptions shortcut_probe;  ///< of `shortcut_probe`

  /// @throws OptionError if a value is out of its range or a method is unknown
  void validate() const;
};

/// The methods that can be compared, in the order in which they run; docs/baselines.md says what
/// each is.
NEURONTUNE_EXPORT std::vector<std::string> method_names();

/// Runs methods on the same embeddings, each with every seed, and holds their heads against the
/// test split. Writes compare.json, compare.csv, compare.md, report.html and config.json into
/// `out`; from a model also embeddings/. A method that fails is reported as such, and the others go
/// on.
///
/// Attributes reach the metrics and the oracle methods only.
///
/// @throws Error as `run` does, and if there is no test split, or no method can be
///         run
NEURONTUNE_EXPORT ComparisonReport compare(const CompareOptions& options,
                                           const std::filesystem::path& out,
                                           const ProgressFn& progress = {}, const LogFn& log = {});

}  // namespace neurontune
