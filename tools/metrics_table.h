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

/// "pullover with bag"
std::string worst_group_name(const GroupMetrics& metrics, const Names& names);

}  // namespace neurontune::cli
