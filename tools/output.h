#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "help.h"
#include "log.h"
#include "screen.h"

namespace neurontune::cli {

/// What every subcommand with results has: --json and --color, and the log.
struct OutputOptions {
  bool json = false;
  std::string color = "auto";
  Log& log;

  OutputOptions(CLI::App& command, Log& the_log);

  Screen screen() const { return cli::screen(color); }
};

/// Each as a line of the log.
void print_warnings(const std::vector<std::string>& warnings, const OutputOptions& output);

}  // namespace neurontune::cli
