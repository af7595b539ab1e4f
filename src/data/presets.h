#pragma once

#include <string>
#include <utility>
#include <vector>

namespace neurontune {

/// The name and JSON of each format of configs/data.
std::vector<std::pair<std::string, std::string>> manifest_presets();

}  // namespace neurontune
