#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace neurontune {

/// The value, or null.
template <typename Number>
nlohmann::ordered_json nullable(const std::optional<Number>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

inline nlohmann::ordered_json nullable(const std::vector<std::optional<double>>& values) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& value : values) json.push_back(nullable(value));
  return json;
}

}  // namespace neurontune
