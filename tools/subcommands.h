#pragma once

#include <CLI/CLI.hpp>

#include "log.h"

namespace neurontune::cli {

// Each adds its subcommand to the program; the subcommand runs when parsing has ended. Results go
// to stdout, all else to the log and stderr; failures are thrown. The log must outlive the program.

void add_ablate(CLI::App& app, Log& log);
void add_completion(CLI::App& app);
void add_compare(CLI::App& app, Log& log);
void add_demo(CLI::App& app, Log& log);
void add_embed(CLI::App& app, Log& log);
void add_eval(CLI::App& app, Log& log);
void add_export(CLI::App& app, Log& log);
void add_inspect(CLI::App& app, Log& log);
void add_help(CLI::App& app);
void add_report(CLI::App& app, Log& log);
void add_run(CLI::App& app, Log& log);
void add_score(CLI::App& app, Log& log);

}  // namespace neurontune::cli
