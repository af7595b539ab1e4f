#include "setting_options.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/describe.h"
#include "model_help.h"

namespace neurontune::cli {
namespace {

/// A flag that is a setting.
struct Flag {
  SettingGroup group;
  const char* names;  ///< as CLI11 takes them; the first is the one messages use
  const char* key;
  const char* value;  ///< what the help calls it
  const char* help;
};

const std::vector<Flag>& flags() {
  using G = SettingGroup;
  static const std::vector<Flag> all = {
      {G::model, "--model", "model.path", "FILE", "TorchScript classifier"},
      {G::model, "--data", "data.path", "DIR", "folder of images or tensors, or its manifest"},
      {G::model, "--format", "data.format", "NAME | FILE",
       "how the data lies on disk: waterbirds, celeba, … (see docs/formats.md), or JSON that says"},
      {G::head, "--head,--head-name", "model.head", "NAME", kHeadHelp},
      {G::head_name, "--head-name", "model.head", "NAME", kHeadHelp},
      {G::model, "--output", "model.output", "NAME", kOutputHelp},
      {G::model, "--preload-lib", "model.preload_lib", "LIB,…", kPreloadHelp},
      {G::model, "--extract-batch", "data.batch_size", "N", "samples through the model at once"},
      {G::model, "--embedding-dtype", "data.embedding_dtype", "NAME",
       "embeddings are stored as: model, float32, float16 or bfloat16"},
      {G::model, "--amp", "data.mixed_precision", "",
       "automatic mixed precision, float16 on CUDA, bfloat16 on the CPU; an error where that "
       "changes "
       "the embeddings"},
      {G::model, "--skip-bad", "data.skip_bad", "", "go on without images that cannot be read"},
      {G::model, "--resize", "data.transform.resize", "S | H,W", "short side, or exact size"},
      {G::model, "--interpolation", "data.transform.interpolation", "NAME",
       "how images are resized: nearest, bilinear, bicubic, lanczos, box or hamming"},
      {G::model, "--crop", "data.transform.crop", "S | H,W", "cut from the centre"},
      {G::model, "--channels", "data.transform.channels", "3 | 1", "colour or grey"},
      {G::model, "--mean", "data.transform.mean", "M,…", "subtracted from each channel"},
      {G::model, "--std", "data.transform.std", "S,…", "each channel is divided by"},
      {G::embeddings, "--embeddings", "embeddings.path", "DIR", "folder of embeddings"},
      {G::embeddings, "--arrays", "embeddings.arrays", "KEY=NAME,…",
       "what its arrays are called: embeddings=feats,labels=y; also attributes, groups, ids, "
       "weight "
       "and bias"},
      {G::splits, "--identify", "splits.identify", "SPLIT",
       "held-out data that finds the biased dimensions: val, or a part of it, val:1/2"},
      {G::tuning, "--tune", "splits.tune", "SPLIT", "data that retrains the head"},
      {G::identification, "--threshold", "identify.threshold", "X",
       "a dimension is biased where its score is over this"},
      {G::identification, "--threshold-quantile", "identify.threshold_quantile", "Q",
       "the threshold as a quantile of the scores instead, 0 to 1"},
      {G::identification, "--aggregate", "identify.aggregate", "NAME",
       "of the classes' scores: union, intersection, mean or per_class"},
      {G::identification, "--activation", "identify.activation", "NAME",
       "what is compared: raw or magnitude"},
      {G::identification, "--keep-at-least", "identify.keep_at_least", "K",
       "dimensions never masked; auto is max(classes, dimensions / 16)"},
      {G::identification, "--mask-value", "identify.mask_value", "V",
       "what biased dimensions are multiplied by"},
      {G::identification, "--significance", "identify.significance", "NAME",
       "a test that biased dimensions pass too: none, plain or given_margin"},
      {G::identification, "--false-discovery-rate", "identify.false_discovery_rate", "X",
       "of that test, over a class's dimensions"},
      {G::tuning, "--refresh", "tune.refresh", "N", "identify anew every N epochs; 0 never"},
      {G::tuning, "--start", "tune.start", "NAME", "retrain from the erm head or a fresh one"},
      {G::tuning, "--epochs", "tune.epochs", "N", "epochs of retraining"},
      {G::tuning, "--batches-per-epoch", "tune.batches_per_epoch", "N", "batches an epoch"},
      {G::tuning, "--batch-size", "tune.batch_size", "N", "samples a batch, balanced by class"},
      {G::tuning, "--learning-rate,--lr", "tune.learning_rate", "X", "of SGD"},
      {G::tuning, "--momentum", "tune.momentum", "X", "of SGD"},
      {G::tuning, "--weight-decay", "tune.weight_decay", "X", "of SGD"},
      {G::tuning, "--criterion", "select.criterion", "NAME",
       "which head is picked: inferred_groups (no attributes seen), worst_group (those of "
       "--identify, where known), or NeuronTune's epoch by sfit or guarded_sfit"},
      {G::tuning, "--guard", "select.guard", "X",
       "class-balanced accuracy a picked epoch may be below the best one; of guarded_sfit"},
      {G::tuning, "--max-drop", "select.max_drop", "X",
       "class-balanced accuracy on held-out data that a repair may cost, where there is evidence "
       "of a shortcut; 0: nothing; only with inferred_groups"},
      {G::tuning, "--evidence-threshold", "shortcut.evidence_threshold", "X",
       "evidence of a shortcut from which a repair may cost accuracy; only with inferred_groups"},
      {G::tuning, "--seed", "seed", "N", "of the batches and of a fresh head"},
      {G::machine, "--device", "device", "NAME", "auto, cpu, cuda or cuda:N"},
      {G::machine, "--threads", "threads", "N",
       "for tensor work, up to 4 for each core; 0: all cores"},
  };
  return all;
}

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

SettingOptions::SettingOptions(CLI::App& command, std::initializer_list<SettingGroup> groups) {
  const auto defaults = config_json(resolve_config("", {}));
  const auto recipes = listed(recipe_names());
  for (const auto& flag : flags()) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) continue;
    const std::string names = flag.names, first = names.substr(0, names.find(','));
    const std::string value = flag.value;
    if (value.empty()) {  // one that is set or not
      options_[first] = {flag.key, command.add_flag(names, texts_[first], flag.help)};
      continue;
    }
    auto* option = command.add_option(names, texts_[first], flag.help);
    option->take_last();
    option->option_text(value);
    if (const auto text = default_text(defaults, flag.key); !text.empty())
      option->option_text(value + " [" + text + "]");
    options_[first] = {flag.key, option};
  }
  command.add_option("--config", config_file_, "settings in JSON; flags win over them")
      ->option_text("FILE");
  options_["--recipe"] = {"recipe", command.add_option("--recipe", texts_["--recipe"],
                                                       "settings to start from: " + recipes)};
  options_["--recipe"].second->option_text("NAME [" + default_text(defaults, "recipe") + "]");
}

Config SettingOptions::resolve(const std::vector<SettingFlag>& more) const {
  std::vector<SettingFlag> given;
  for (const auto& [flag, entry] : options_)
    if (entry.second->count() > 0) given.push_back({flag, entry.first, texts_.at(flag)});
  given.insert(given.end(), more.begin(), more.end());
  auto config = resolve_config(config_file_, given);
  if (config.threads > 0) at::set_num_threads(static_cast<int>(config.threads));
  return config;
}

}  // namespace neurontune::cli
