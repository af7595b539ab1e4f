#pragma once

#include <nlohmann/json_fwd.hpp>

#include "neurontune/metrics/seed_summary.h"

namespace neurontune {

/// {figure: {mean, std, values}}
nlohmann::ordered_json summaries_json(const MetricSummaries& summaries);

}  // namespace neurontune
