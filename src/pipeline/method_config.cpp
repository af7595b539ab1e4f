#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "neurontune/pipeline/run_in_memory.h"
#include "pipeline/flat_settings.h"
#include "pipeline/setting_values.h"
#include "pipeline/settings.h"

namespace neurontune {
namespace {

constexpr const char* kSource = "options";

bool is_of_method(const std::string& key) {
  for (const auto* prefix : {"identify.", "tune.", "select.", "shortcut.", "anchored."})
    if (key.starts_with(prefix)) return true;
  return key == "recipe" || key == "seed";
}

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

/// Every name that a setting of the method can be given by.
std::vector<std::string> known_names(const std::vector<std::string>& keys) {
  std::vector<std::string> names;
  for (const auto& key : keys)
    if (is_of_method(key)) names.insert(names.end(), {last_part(key), key});
  return names;
}

/// The key that a name means: the name itself, or the only one that ends so.
std::string key_named(const std::string& name) {
  const auto keys = setting_keys();
  std::vector<std::string> meant;
  for (const auto& key : keys)
    if (is_of_method(key) && (key == name || last_part(key) == name)) meant.push_back(key);
  if (meant.size() == 1) return meant.front();
  if (meant.size() > 1)
    throw OptionError(std::string(kSource) + ": " + name + " may be " + joined(meant, " or ") +
                      "; write one of these");
  if (std::find(keys.begin(), keys.end(), name) != keys.end())
    throw OptionError(std::string(kSource) + ": " + name +
                      " is not used with data in memory, which stay where they are");
  throw OptionError(std::string(kSource) + ": unknown setting " + name +
                    nearest_known(name, known_names(keys)));
}

/// A value as a flag has it: `parse_flag` reads it back.
std::string flag_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const auto text = json_text(value, -1);
  return value.is_array() ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

Config method_config(const std::string& settings) {
  std::vector<SettingFlag> flags;
  for (const auto& [name, value] : flattened(parse_json_settings(kSource, settings))) {
    const auto key = key_named(name);
    for (const auto& flag : flags)
      if (flag.key == key) throw OptionError(std::string(kSource) + ": " + key + " is given twice");
    flags.push_back({kSource, key, flag_text(value)});
  }
  return resolve_config({}, flags);
}

std::string method_settings(const Config& config) {
  Json settings;
  for_each_setting(config, [&](const char* key, const auto& field) {
    if (is_of_method(key)) settings[key] = to_value(field);
  });
  return json_text(settings) + "\n";
}

}  // namespace neurontune
