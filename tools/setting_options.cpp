#include "setting_options.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/describe.h"
#include "base/log_message.h"
#include "help.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "pipeline/config_json.h"
#include "unused_settings.h"

namespace neurontune::cli {
namespace {

/// The default recipe's value of a setting, for the help.
std::string default_text(const nlohmann::ordered_json& settings, std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  const auto value = settings.at(nlohmann::ordered_json::json_pointer("/" + key));
  if (value.is_string()) return value.get<std::string>();
  auto text = value.dump();
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text;
}

}  // namespace

SettingOptions::SettingOptions(CLI::App& command, Log& log,
                               std::initializer_list<SettingGroup> groups)
    : log_(log) {
  const auto defaults = config_json(resolve_config("", {}));
  for (const auto& flag : setting_flags()) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) continue;
    const std::string names = flag.names, first = names.substr(0, names.find(','));
    auto& [key, option] = options_[first];
    key = flag.key;
    std::string value = flag.value;
    if (value.empty()) {  // one that is set or not
      option = command.add_flag(names, texts_[first], flag.help);
    } else {
      option = command.add_option(names, texts_[first], flag.help);
      if (first == "--model")  // a path behind it is a second one, and which is meant is not clear
        option->multi_option_policy(CLI::MultiOptionPolicy::Throw);
      else
        option->take_last();
      const auto text = default_text(defaults, flag.key);
      if (!text.empty()) value += " [" + text + "]";
    }
    put(option, flag.shown_in, value, flag.range, flag.use);
  }
  put(command.add_option(
          "--config", config_file_,
          "File of settings in JSON or YAML, such as the config.json that a run writes. "
          "Flags win over it."),
      group::kGeneral, "FILE");
  auto* recipe =
      command.add_option("--recipe", texts_["--recipe"],
                         "Named settings to start from; a config file and flags win over "
                         "them. robust is the default, paper the method as published.");
  options_["--recipe"] = {"recipe", recipe};
  put(recipe, group::kGeneral, "NAME [" + default_text(defaults, "recipe") + "]",
      listed(recipe_names()));
}

std::vector<SettingFlag> SettingOptions::given() const {
  std::vector<SettingFlag> flags;
  for (const auto& [flag, entry] : options_)
    if (entry.second->count() > 0) flags.push_back({flag, entry.first, texts_.at(flag)});
  return flags;
}

std::vector<std::string> SettingOptions::warnings(const Config& resolved) const {
  return unused_settings(resolved, given());
}

Config SettingOptions::resolve(const std::vector<SettingFlag>& more) const {
  auto flags = given();
  flags.insert(flags.end(), more.begin(), more.end());
  auto config = resolve_config(config_file_, flags, log_.callback());
  if (config.threads > 0) at::set_num_threads(static_cast<int>(config.threads));
  if (!config_file_.empty()) log_debug(log_.callback(), "settings of ", sized(config_file_));
  log_debug(log_.callback(), "settings as resolved: ", json_text(config_json(config), -1));
  return config;
}

}  // namespace neurontune::cli
