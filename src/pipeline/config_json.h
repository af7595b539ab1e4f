#pragma once

#include <nlohmann/json_fwd.hpp>

#include "neurontune/pipeline/config.h"

namespace neurontune {

/// Every setting, in the nesting that `resolve_config` reads.
nlohmann::ordered_json config_json(const Config& config);

}  // namespace neurontune
