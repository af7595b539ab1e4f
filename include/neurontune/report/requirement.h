#pragma once

#include <string>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/metrics/split_metrics.h"
#include "neurontune/report/check.h"

namespace neurontune {

/// A bound on a figure: "worst_group_accuracy>=0.8".
struct NEURONTUNE_EXPORT Requirement {
  /// Of a figure to a bound.
  enum class Relation { at_least, more, at_most, less };

  std::string text;  ///< as it was written
  /// Of the metric block; "class_accuracy.1" and "groups.0.accuracy" reach inside.
  std::string key;
  Relation relation = Relation::at_least;  ///< >=, >, <= or <
  double bound = 0;                        ///< finite

  /// @throws OptionError if the text is not KEY>=NUMBER (or >, <=, <)
  static Requirement parse(const std::string& text);
};

/// A check for each requirement; what is found says how far a figure is off. Of a list every number
/// must be as required, and a figure that is null is not.
///
/// @param metrics of which json_text(metrics) shows the keys
/// @throws OptionError if a key is none of them (naming the nearest) or no number
NEURONTUNE_EXPORT std::vector<Check> check(const std::vector<Requirement>& requirements,
                                           const SplitMetrics& metrics);

}  // namespace neurontune
