#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace neurontune::html {

/// report.html of a comparison.
/// @param comparison compare.json
std::string comparison_page(const nlohmann::ordered_json& comparison);

}  // namespace neurontune::html
