#pragma once

#include <string>
#include <vector>

#include "neurontune/pipeline/config.h"

namespace neurontune::cli {

/// Of the settings that were asked for, those that another one puts out of force: a sentence each.
std::vector<std::string> unused_settings(const Config& config,
                                         const std::vector<SettingFlag>& given);

}  // namespace neurontune::cli
