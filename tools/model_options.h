#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "help.h"
#include "log.h"
#include "model_help.h"
#include "neurontune/pipeline/open_model.h"

namespace neurontune::cli {

/// The MODEL of subcommands that have no config, and how it is split.
struct ModelOptions {
  /// @param head_flags "--head-name", and "--head" where that is not a file
  ModelOptions(CLI::App& command, const std::string& head_flags, Log& the_log) : log(the_log) {
    put(command.add_option("--model,MODEL", config.model.path, kModelHelp), group::kModel, "FILE")
        ->required()
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    put(command.add_option(head_flags, config.model.head, kHeadHelp), group::kModel, "NAME [auto]");
    put(command.add_option("--output", config.model.output, kOutputHelp), group::kModel,
        "NAME [auto]", "", Use::rare);
    put(command.add_option("--preload-lib", config.model.preload_lib, kPreloadHelp), group::kModel,
        "LIB,…", "", Use::rare);
    config.device = "cpu";
  }

  ErmModel load() const { return open_model(config, log.callback()); }

  Config config;
  Log& log;
};

}  // namespace neurontune::cli
