#pragma once

#include <nlohmann/json_fwd.hpp>

#include "neurontune/metrics/split_metrics.h"

namespace neurontune {

/// A metric block: samples, mean_accuracy, class_accuracy (null for an absent class),
/// balanced_accuracy, worst_class_accuracy; with attributes also worst_group_accuracy, worst_group,
/// groups, adjusted_mean_accuracy (null where the training groups are not known) and, where there
/// are such samples, attribute_unknown.
nlohmann::ordered_json metrics_json(const SplitMetrics& metrics);

}  // namespace neurontune
