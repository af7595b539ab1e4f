#pragma once

#include <string>

#include "neurontune/export.h"
#include "neurontune/metrics/split_metrics.h"

namespace neurontune {

/// A metric block as JSON: samples, mean_accuracy, class_accuracy (null for an absent class),
/// balanced_accuracy, worst_class_accuracy, mean_accuracy_interval, macro_f1, auroc (null unless
/// there are two classes), expected_calibration_error (to five decimals); with attributes also
/// worst_group_accuracy, worst_group_interval, worst_group, groups, adjusted_mean_accuracy (null
/// where the training groups are not known) and, where there are such samples, attribute_unknown.
/// Intervals are Wilson's, of 95 %.
NEURONTUNE_EXPORT std::string json_text(const SplitMetrics& metrics);

}  // namespace neurontune
