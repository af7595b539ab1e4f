#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "log.h"
#include "neurontune/pipeline/config.h"
#include "setting_flags.h"

namespace neurontune::cli {

/// Flags of a subcommand that are settings of the config, with --config and --recipe.
///
/// Must live until the subcommand has run.
class SettingOptions {
 public:
  SettingOptions(CLI::App& command, Log& log, std::initializer_list<SettingGroup> groups);

  /// All settings, with the flags given, which the log is told; sets the number of LibTorch's
  /// threads.
  /// @throws OptionError, Error as resolve_config does
  /// @param more settings that win over all others
  Config resolve(const std::vector<SettingFlag>& more = {}) const;

  /// Flags given that have no effect with the others, a sentence each.
  std::vector<std::string> warnings(const Config& resolved) const;

 private:
  std::vector<SettingFlag> given() const;

  Log& log_;
  std::string config_file_;
  std::map<std::string, std::string> texts_;  ///< flag → value, of all flags offered
  std::map<std::string, std::pair<std::string, CLI::Option*>> options_;  ///< flag → key, option
};

}  // namespace neurontune::cli
