#pragma once

#include <CLI/CLI.hpp>

#include "log.h"

namespace neurontune::cli {

/// The flags that every subcommand has: --log-level, --log-file and --quiet. They take effect when
/// parsing has ended, before the subcommand runs. `log` must outlive the command.
void add_log_options(CLI::App& command, Log& log);

}  // namespace neurontune::cli
