#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "neurontune/pipeline/run.h"

namespace neurontune::cli {

/// The flags every subcommand that computes has: --json and --quiet.
struct OutputOptions {
  bool json = false;
  bool quiet = false;

  explicit OutputOptions(CLI::App& command) {
    command.add_flag("--json", json, "print one JSON document to stdout");
    command.add_flag("--quiet", quiet, "no progress and no warnings");
  }
};

/// Prints each as a line of stderr, unless quiet.
void print_warnings(const std::vector<std::string>& warnings, const OutputOptions& output);

/// Tells a finished run to a person: what was done, and the accuracies before and after.
void print_run(const RunOutcome& outcome);

}  // namespace neurontune::cli
