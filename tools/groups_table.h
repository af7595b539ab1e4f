#pragma once

#include <string>

#include "neurontune/data/names.h"
#include "neurontune/metrics/split_metrics.h"
#include "screen.h"

namespace neurontune::cli {

/// A row a group, the least accurate first: its samples, accuracy and 95 % interval. Groups after
/// the first hundred are only counted.
std::string groups_table(const GroupMetrics& metrics, const Names& names, const Screen& screen);

/// The figures that a table of accuracies has not, in a sentence: the interval of the mean, macro
/// F1, AUROC and expected calibration error.
std::string other_figures(const SplitMetrics& metrics);

}  // namespace neurontune::cli
