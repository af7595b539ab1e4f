#pragma once

#include <nlohmann/json_fwd.hpp>

#include "neurontune/metrics/split_metrics.h"

namespace neurontune {

/// The metric block that json_text(SplitMetrics) is the text of.
nlohmann::ordered_json metrics_json(const SplitMetrics& metrics);

}  // namespace neurontune
