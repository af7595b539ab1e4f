#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/print_handler.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "bus_error.h"
#include "exit_code.h"
#include "neurontune/version.h"
#include "standard_streams.h"
#include "subcommands.h"

namespace {

/// LibTorch's own warnings mean nothing to the user of a command line.
class SilentWarnings : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

/// What a model prints while it runs must not stand between the results on stdout.
void print_to_stderr(const std::string& text) { std::cerr << text; }

}  // namespace

int main(int argc, char** argv) {
  neurontune::cli::open_standard_streams();
  neurontune::cli::report_bus_errors();
  torch::jit::setPrintHandler(print_to_stderr);
  SilentWarnings silent;
  const c10::WarningUtils::WarningHandlerGuard warnings(&silent);

  CLI::App app("Repairs trained classifiers that lean on spurious features, without group labels.",
               "neurontune");
  app.set_version_flag("--version", std::string("neurontune ") + neurontune::kVersion);
  app.require_subcommand(1);
  app.footer(
      "neurontune SUBCOMMAND --help explains each. Exit codes: 0 done, 2 wrong usage, 1 all else.");
  neurontune::cli::add_inspect(app);
  neurontune::cli::add_embed(app);
  neurontune::cli::add_score(app);
  neurontune::cli::add_run(app);
  neurontune::cli::add_export(app);
  neurontune::cli::add_eval(app);
  neurontune::cli::add_compare(app);
  neurontune::cli::add_ablate(app);
  neurontune::cli::add_demo(app);

  return neurontune::cli::exit_code_of(app, [&] { app.parse(argc, argv); });
}
