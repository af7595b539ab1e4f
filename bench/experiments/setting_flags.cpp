#include "setting_flags.h"

#include <utility>
#include <vector>

namespace neurontune::experiments {

SettingFlags::SettingFlags(CLI::App& command) {
  const std::vector<std::pair<const char*, const char*>> all = {
      {"--recipe", "recipe"},
      {"--seed", "seed"},
      {"--threshold", "identify.threshold"},
      {"--threshold-quantile", "identify.threshold_quantile"},
      {"--aggregate", "identify.aggregate"},
      {"--activation", "identify.activation"},
      {"--keep-at-least", "identify.keep_at_least"},
      {"--epochs", "tune.epochs"},
      {"--batches-per-epoch", "tune.batches_per_epoch"}};
  for (const auto& [flag, key] : all) {
    Flag& added = flags_.emplace_back(Flag{nullptr, {flag, key, ""}});
    added.option = command.add_option(flag, added.setting.text, "as `neurontune run` has it");
  }
}

Config SettingFlags::resolve() const {
  // The experiments are on the mask and its epochs.
  std::vector<SettingFlag> given = {{"experiments", "recipe", "guarded"}};
  for (const Flag& flag : flags_) {
    if (flag.option->count() > 0) given.push_back(flag.setting);
  }
  return resolve_config("", given);
}

}  // namespace neurontune::experiments
