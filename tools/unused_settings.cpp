#include "unused_settings.h"

#include <string_view>

#include "pipeline/settings_in_force.h"
#include "setting_flags.h"

namespace neurontune::cli {
namespace {

/// The flag of a key, "--criterion".
std::string flag_of(const std::string& key) {
  for (const auto& flag : setting_flags())
    if (flag.key == key) {
      const std::string names = flag.names;
      return names.substr(0, names.find(','));
    }
  return key;
}

/// Whether a setting says how a model and its data are read.
bool is_of_model(const std::string& key) {
  return (key.starts_with("data.") && key != "data.path") ||
         (key.starts_with("model.") && key != "model.path");
}

/// What a setting needs to have an effect; empty where it has one.
std::string needed(const Config& config, const std::string& key) {
  if (is_of_model(key)) return config.embeddings.path.empty() ? "" : "--model and --data";
  const auto* const condition = condition_of(key);
  if (condition == nullptr || condition->holds(config)) return "";
  const auto flag = flag_of(condition->other);
  return condition->values == std::string_view("none") ? "no " + flag
                                                       : flag + " " + condition->values;
}

}  // namespace

std::vector<std::string> unused_settings(const Config& config,
                                         const std::vector<SettingFlag>& given) {
  std::vector<std::string> texts;
  for (const auto& setting : given)
    if (const auto what = needed(config, setting.key); !what.empty())
      texts.push_back(setting.flag + " has no effect here: it needs " + what);
  return texts;
}

}  // namespace neurontune::cli
