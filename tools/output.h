#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "help.h"
#include "log.h"
#include "neurontune/pipeline/run.h"

namespace neurontune::cli {

/// What every subcommand that computes has: --json, and the log.
struct OutputOptions {
  bool json = false;
  Log& log;

  OutputOptions(CLI::App& command, Log& the_log) : log(the_log) {
    put(command.add_flag("--json", json, "Print one JSON document to stdout instead of text."),
        group::kOutput);
  }
};

/// Each as a line of the log.
void print_warnings(const std::vector<std::string>& warnings, const OutputOptions& output);

/// Tells a finished run to a person: what was done, and the accuracies before and after.
void print_run(const RunOutcome& outcome);

}  // namespace neurontune::cli
