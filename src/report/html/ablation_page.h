#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace neurontune::html {

/// report.html of a sweep over settings.
/// @param ablation ablate.json
std::string ablation_page(const nlohmann::ordered_json& ablation);

}  // namespace neurontune::html
