#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace neurontune {

/// Settings by their keys with dots, in their order: {"tune.epochs", 3}.
using FlatSettings = std::vector<std::pair<std::string, nlohmann::ordered_json>>;

/// Objects become the beginnings of keys: {"tune": {"epochs": 3}} is {"tune.epochs", 3}.
/// @param prefix what every key begins with: "data.transform."
FlatSettings flattened(const nlohmann::ordered_json& settings, const std::string& prefix = "");

}  // namespace neurontune
