#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "neurontune/pipeline/open_model.h"

namespace neurontune::cli {

/// The MODEL of subcommands that have no config, and how it is split.
struct ModelOptions {
  /// @param head_flags "--head" where that is not a file
  ModelOptions(CLI::App& command, const std::string& head_flags) {
    command.add_option("MODEL", config.model.path, "TorchScript classifier")->required();
    command
        .add_option(head_flags, config.model.head,
                    "the last linear layer, or a submodule that becomes the head")
        ->option_text("NAME [auto]");
    command
        .add_option("--output", config.model.output,
                    "which of several outputs holds the logits: a place, a field or a key")
        ->option_text("NAME [auto]");
    command
        .add_option("--preload-lib", config.model.preload_lib,
                    "shared libraries of custom operators that the model needs")
        ->option_text("LIB,…");
    config.device = "cpu";
  }

  ErmModel load() const { return open_model(config); }

  Config config;
};

}  // namespace neurontune::cli
