#pragma once

#include <vector>

#include "help.h"

namespace neurontune::cli {

/// Which settings a subcommand has flags for.
enum class SettingGroup {
  model,       ///< --model, --data and what they need
  head,        ///< --head-name, which may be called --head
  head_name,   ///< the same where --head is a file
  embeddings,  ///< --embeddings
  splits,      ///< --identify
  tuning,      ///< all of retraining and selection, and --tune
  identification,
  machine,  ///< --device, --threads
};

/// A flag that is a setting of the config.
struct FlagOfSetting {
  SettingGroup group;
  const char* shown_in;  ///< the group of the help
  Use use;
  const char* names;  ///< as CLI11 takes them; the first is the one messages use
  const char* key;
  const char* value;  ///< what the help calls it; empty where the flag is set or not
  const char* range;  ///< which values are valid, as the setting's own check has it
  const char* help;
};

const std::vector<FlagOfSetting>& setting_flags();

}  // namespace neurontune::cli
