#pragma once

#include <string>
#include <utility>
#include <vector>

#include "neurontune/data/names.h"
#include "neurontune/metrics/split_metrics.h"
#include "screen.h"

namespace neurontune::cli {

/// Accuracies of several heads on the same split, a row each: mean, balanced and worst-class
/// accuracy, and where the split has attributes adjusted mean and worst group, by name.
std::string metrics_table(const std::vector<std::pair<std::string, SplitMetrics>>& heads,
                          const Names& names, const Screen& screen);

/// A figure as tables have it: "0.798"
std::string accuracy_text(double value);

/// "pullover with bag"
std::string group_name(const GroupAccuracy& group, const Names& names);
std::string worst_group_name(const GroupMetrics& metrics, const Names& names);

}  // namespace neurontune::cli
