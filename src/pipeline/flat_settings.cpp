#include "pipeline/flat_settings.h"

#include <algorithm>

namespace neurontune {
namespace {

constexpr int kDeepest = 4;  // objects in objects: no key has as many

void flatten(const nlohmann::ordered_json& object, const std::string& prefix,
             FlatSettings& settings) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object() && std::count(prefix.begin(), prefix.end(), '.') < kDeepest)
      flatten(value, prefix + key + ".", settings);
    else
      settings.emplace_back(prefix + key, value);
  }
}

}  // namespace

FlatSettings flattened(const nlohmann::ordered_json& settings, const std::string& prefix) {
  FlatSettings flat;
  flatten(settings, prefix, flat);
  return flat;
}

}  // namespace neurontune
