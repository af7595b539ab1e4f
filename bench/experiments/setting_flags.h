#pragma once

#include <CLI/App.hpp>
#include <list>

#include "neurontune/pipeline/config.h"

namespace neurontune::experiments {

/// The settings every experiment takes, as `neurontune run` has them.
class SettingFlags {
 public:
  explicit SettingFlags(CLI::App& command);
  SettingFlags(const SettingFlags&) = delete;  // the command points into it

  /// @throws OptionError if a value is not a setting's
  Config resolve() const;

 private:
  struct Flag {
    CLI::Option* option;
    SettingFlag setting;
  };
  std::list<Flag> flags_;
};

}  // namespace neurontune::experiments
