#pragma once

#include <CLI/CLI.hpp>

namespace neurontune::cli {

// Each adds its subcommand to the program; the subcommand runs when parsing has ended. Results go
// to stdout, all else to stderr; failures are thrown.

void add_ablate(CLI::App& app);
void add_compare(CLI::App& app);
void add_demo(CLI::App& app);
void add_embed(CLI::App& app);
void add_eval(CLI::App& app);
void add_export(CLI::App& app);
void add_inspect(CLI::App& app);
void add_run(CLI::App& app);
void add_score(CLI::App& app);

}  // namespace neurontune::cli
