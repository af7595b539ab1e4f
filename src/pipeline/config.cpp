#include "neurontune/pipeline/config.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>

#include "base/byte_escapes.h"
#include "base/edit_distance.h"
#include "base/log_message.h"
#include "base/option_checks.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "io/yaml_text.h"
#include "neurontune/base/error.h"
#include "neurontune/data/array_names.h"
#include "neurontune/data/manifest_format.h"
#include "neurontune/data/split.h"
#include "pipeline/config_json.h"
#include "pipeline/flat_settings.h"
#include "pipeline/image_input.h"
#include "pipeline/recipes.h"
#include "pipeline/setting_values.h"
#include "pipeline/settings.h"
#include "pipeline/transform_json.h"

namespace neurontune {
namespace {

FlatSettings parse_layer(const std::string& source, const std::string& text) {
  return flattened(parse_json_settings(source, text));
}

/// A file of the user's, in YAML or JSON as its name says.
FlatSettings read_layer(const std::filesystem::path& file) {
  const auto source = file.string(), text = read_file(file);
  return flattened(is_yaml(file) ? parse_yaml_settings(source, text)
                                 : parse_json_settings(source, text));
}

Json flag_value(const SettingFlag& flag) {
  Json value;
  const Config config;
  for_each_setting(config, [&](const char* key, const auto& field) {
    if (flag.key == key) value = parse_flag(flag.text, field);
  });
  return value.is_discarded() ? Json(flag.text) : value;
}

void apply(const std::string& source, const FlatSettings& settings, Config& config) {
  for (const auto& [name, value] : settings) {
    bool known = false;
    for_each_setting(config, [&, &name = name, &value = value](const char* key, auto& field) {
      if (name != key) return;
      known = true;
      try {
        from_value(value, field);
      } catch (const OptionError& error) {
        throw OptionError(source + ": " + name + " " + error.what());
      }
    });
    if (!known)
      throw OptionError(source + ": unknown key " + name + nearest_known(name, setting_keys()));
  }
}

void apply_recipe(const std::string& recipe, Config& config) {
  const auto source = "recipe " + recipe;
  apply(source, parse_layer(source, recipe_text(recipe)), config);
}

/// A string setting as flags, or else the file, give it.
std::string string_setting(const std::string& key, const FlatSettings& file,
                           const std::vector<SettingFlag>& flags, std::string value) {
  for (const auto& [name, json] : file)
    if (name == key && json.is_string()) value = unescaped(json.get<std::string>());
  for (const auto& flag : flags)
    if (flag.key == key) value = flag.text;
  return value;
}

/// Settings of a file win over those of a recipe, so that another recipe than its own would be had
/// in name only.
void check_recipe(const std::string& file, const FlatSettings& settings,
                  const std::vector<SettingFlag>& flags) {
  const auto own = string_setting("recipe", settings, {}, "");
  for (const auto& flag : flags)
    if (flag.key == "recipe" && !own.empty() && flag.text != own)
      throw OptionError(flag.flag + " is " + flag.text + ", but " + file +
                        " was made with recipe \"" + own +
                        "\", and its settings would override those of " + flag.text +
                        "; leave out " + flag.flag + ", or use another file");
}

/// The manifest that settings name, if there is one. That data is absent is said when it is opened.
std::optional<ManifestSource> named_manifest(const std::filesystem::path& data,
                                             const std::string& format) {
  std::error_code ignored;
  if (data.empty() || !std::filesystem::exists(data, ignored)) return std::nullopt;
  return find_manifest(data, format);
}

void apply_transform(const std::string& source, const std::string& text, Config& config) {
  const auto settings = parse_json_settings(source, text);
  apply(source,
        flattened(own_transform(source, settings, config.data.transform), "data.transform."),
        config);
}

/// The transform that images of the format usually have, then that of the data, then that of the
/// model, which knows best what it takes.
void apply_transforms(const ManifestSource& manifest, const std::string& model, Config& config,
                      const LogFn& log) {
  const auto& format = manifest.format;
  if (!format.transform.empty()) apply_transform("format " + format.name, format.transform, config);
  std::vector<std::filesystem::path> files = {manifest.folder() / "transform.json"};
  if (!model.empty()) files.push_back(transform_beside(model));
  std::error_code ignored;
  for (const auto& file : files) {
    if (!std::filesystem::exists(file, ignored)) continue;
    apply_transform(file.string(), read_file(file), config);
    log_info(log, "images: preprocessed as ", file.string(), " says");
  }
}

/// More threads than a few for each processor only take memory, and OpenMP ends the program where
/// it cannot have them.
void check_threads(int64_t threads) {
  constexpr int64_t kForEachProcessor = 4;
  const auto processors = std::max<int64_t>(1, std::thread::hardware_concurrency());
  if (threads < 0 || threads > kForEachProcessor * processors)
    throw OptionError("threads is " + std::to_string(threads) + ", expected 0 to " +
                      std::to_string(kForEachProcessor * processors) + ", 4 for each processor");
}

/// What is wrong with settings; "" where nothing is.
std::string fault_of(const Config& config) {
  try {
    config.validate();
  } catch (const OptionError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

std::vector<std::string> setting_keys() {
  std::vector<std::string> keys;
  const Config config;
  for_each_setting(config, [&](const char* key, const auto&) { keys.emplace_back(key); });
  return keys;
}

void Config::validate() const {
  check_threads(threads);
  check_between("data.batch_size", data.extraction.batch_size, 1, 1'000'000);
  data.transform.validate();
  ArrayNames::parse(embeddings.arrays);
  SplitSelector::parse(splits.identify);
  SplitSelector::parse(splits.tune);
  neuron_tune_options(*this).validate();
  shortcut.validate();
  anchored.validate();
}

Config with_settings(Config config, const std::vector<SettingFlag>& settings) {
  for (const auto& setting : settings) {
    if (setting.key == "recipe") apply_recipe(setting.text, config);
    apply(setting.flag, {{setting.key, flag_value(setting)}}, config);
  }
  config.validate();
  return config;
}

Config resolve_config(const std::filesystem::path& config_file,
                      const std::vector<SettingFlag>& flags, const LogFn& log) {
  FlatSettings file;
  if (!config_file.empty()) file = read_layer(config_file);

  check_recipe(config_file.string(), file, flags);
  Config config;
  const auto recipe = string_setting("recipe", file, flags, config.recipe);
  apply_recipe(recipe, config);
  const auto manifest =
      named_manifest(string_setting("data.path", file, flags, ""),
                     string_setting("data.format", file, flags, config.data.format));
  if (manifest)
    apply_transforms(*manifest, string_setting("model.path", file, flags, ""), config, log);
  apply(config_file.string(), file, config);
  const auto without_flags = config;
  for (const auto& flag : flags) apply(flag.flag, {{flag.key, flag_value(flag)}}, config);
  if (const auto fault = fault_of(config); !fault.empty()) {
    const bool of_file = !config_file.empty() && fault == fault_of(without_flags);
    throw OptionError(of_file ? config_file.string() + ": " + fault : fault);
  }
  return config;
}

ImageTransform transform_of_file(const std::filesystem::path& file, const ImageTransform& base) {
  Config config;
  config.data.transform = base;
  apply_transform(file.string(), read_file(file), config);
  config.data.transform.validate();
  return config.data.transform;
}

nlohmann::ordered_json config_json(const Config& config) {
  Json json;
  for_each_setting(config, [&](std::string key, const auto& field) {
    Json* place = &json;
    for (std::size_t dot; (dot = key.find('.')) != std::string::npos; key.erase(0, dot + 1))
      place = &(*place)[key.substr(0, dot)];
    (*place)[key] = to_value(field);
  });
  return json;
}

std::string json_text(const Config& config) { return json_text(config_json(config)); }

NeuronTuneOptions neuron_tune_options(const Config& config) {
  return {config.identify, config.tune, config.select, config.seed};
}

RepairOptions repair_options(const Config& config) {
  RepairOptions options(neuron_tune_options(config));
  options.shortcut = config.shortcut;
  options.anchored = config.anchored;
  return options;
}

namespace {

at::Device device_named(const std::string& text) {
  if (text == "auto") return at::hasCUDA() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  const bool known = text == "cpu" || text == "cuda" ||
                     (text.starts_with("cuda:") && text.size() > 5 && text.size() < 8 &&
                      std::all_of(text.begin() + 5, text.end(), ::isdigit));
  if (!known) throw OptionError("device is " + text + ", expected auto, cpu, cuda or cuda:N");
  if (text == "cpu") return at::kCPU;
  if (!at::hasCUDA())
    throw Error("device is " + text + ", but this machine or this LibTorch has no CUDA");
  const at::Device device(text);
  return device.has_index() ? device : at::Device(at::kCUDA, 0);
}

}  // namespace

at::Device resolve_device(const std::string& text, const LogFn& log) {
  const auto device = device_named(text);
  log_debug(log, "device ", device.str(), " (asked for: ", text, "), ", at::get_num_threads(),
            at::get_num_threads() == 1 ? " thread" : " threads", ", ",
            std::thread::hardware_concurrency(), " processors");
  return device;
}

}  // namespace neurontune
