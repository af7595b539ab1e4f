#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "model_help.h"
#include "neurontune/pipeline/open_model.h"

namespace neurontune::cli {

/// The MODEL of subcommands that have no config, and how it is split.
struct ModelOptions {
  /// @param head_flags "--head" where that is not a file
  ModelOptions(CLI::App& command, const std::string& head_flags) {
    command.add_option("MODEL", config.model.path, "TorchScript classifier")->required();
    command.add_option(head_flags, config.model.head, kHeadHelp)->option_text("NAME [auto]");
    command.add_option("--output", config.model.output, kOutputHelp)->option_text("NAME [auto]");
    command.add_option("--preload-lib", config.model.preload_lib, kPreloadHelp)
        ->option_text("LIB,…");
    config.device = "cpu";
  }

  ErmModel load() const { return open_model(config); }

  Config config;
};

}  // namespace neurontune::cli
