#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/pipeline/config.h"

namespace neurontune::cli {

/// Which settings a subcommand has flags for.
enum class SettingGroup {
  model,       ///< --model, --data and what they need
  head,        ///< --head, of the model
  head_name,   ///< the same where --head is a file
  embeddings,  ///< --embeddings
  splits,      ///< --identify
  tuning,      ///< all of retraining and selection, and --tune
  identification,
  machine,  ///< --device, --threads
};

/// Flags of a subcommand that are settings of the config, with --config and --recipe.
///
/// Must live until the subcommand has run.
class SettingOptions {
 public:
  SettingOptions(CLI::App& command, std::initializer_list<SettingGroup> groups);

  /// All settings, with the flags given; sets the number of LibTorch's threads.
  /// @throws OptionError, Error as resolve_config does
  /// @param more settings that win over all others
  Config resolve(const std::vector<SettingFlag>& more = {}) const;

 private:
  std::string config_file_;
  std::map<std::string, std::string> texts_;  ///< flag → value, of all flags offered
  std::map<std::string, std::pair<std::string, CLI::Option*>> options_;  ///< flag → key, option
};

}  // namespace neurontune::cli
