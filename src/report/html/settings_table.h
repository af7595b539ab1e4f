#pragma once

#include <nlohmann/json.hpp>

#include "report/html/page.h"

namespace neurontune::html {

/// Every setting of a config.json, by its dotted key.
Table settings_table(const nlohmann::ordered_json& config);

/// A step's name and its seconds.
Table seconds_table(const nlohmann::ordered_json& seconds);

}  // namespace neurontune::html
