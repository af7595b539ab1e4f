// Steps of experiments that the command line has no subcommand for: each prints one JSON document.
#include <c10/core/GradMode.h>

#include <CLI/CLI.hpp>

#include "exit_code.h"
#include "log.h"
#include "subcommands.h"

int main(int argc, char** argv) {
  CLI::App app("Steps of bench/experiments.py. Exit codes: 0 done, 2 wrong usage, 1 all else.",
               "experiments");
  app.require_subcommand(1);
  neurontune::experiments::add_label_noise(app);
  neurontune::experiments::add_identification_data(app);
  neurontune::experiments::add_selection(app);
  neurontune::experiments::add_transfer(app);
  const c10::NoGradGuard no_grad;
  neurontune::cli::Log log;
  return neurontune::cli::exit_code_of(app, log, [&] { app.parse(argc, argv); });
}
