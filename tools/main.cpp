#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/print_handler.h>

#include <CLI/CLI.hpp>
#include <string>

#include "bus_error.h"
#include "exit_code.h"
#include "help.h"
#include "log.h"
#include "neurontune/version.h"
#include "standard_streams.h"
#include "subcommands.h"

namespace {

/// LibTorch's own warnings are of use only for debugging.
class WarningsToLog : public c10::WarningHandler {
 public:
  explicit WarningsToLog(neurontune::cli::Log& log) : log_(log) {}

 private:
  void process(const c10::Warning& warning) override {
    log_.write(neurontune::LogLevel::debug, "LibTorch warns: " + warning.msg());
  }

  neurontune::cli::Log& log_;
};

/// LibTorch's handler of what a model prints is a plain function, so that the log is found here.
neurontune::cli::Log* log_of_models = nullptr;

/// What a model prints while it runs must not stand between the results on stdout, nor behind the
/// progress bar.
void print_to_stderr(const std::string& text) { log_of_models->print(text); }

}  // namespace

int main(int argc, char** argv) {
  neurontune::cli::open_standard_streams();
  neurontune::cli::report_bus_errors();
  neurontune::cli::Log log;
  log_of_models = &log;
  torch::jit::setPrintHandler(print_to_stderr);
  WarningsToLog to_log(log);
  const c10::WarningUtils::WarningHandlerGuard warnings(&to_log);

  CLI::App app("Repairs trained classifiers that lean on spurious features, without group labels.",
               "neurontune");
  neurontune::cli::set_help(app);
  app.set_version_flag("-V,--version", std::string("neurontune ") + neurontune::kVersion,
                       "Show the version.");
  app.require_subcommand(1);
  app.footer(
      "neurontune SUBCOMMAND --help, or neurontune help SUBCOMMAND, explains each. Exit codes: 0 "
      "done, 1 failed, 2 wrong usage, 3 a check of --require or --baseline failed, 4 ERM's head "
      "kept (run --exit-code).");
  neurontune::cli::add_inspect(app, log);
  neurontune::cli::add_embed(app, log);
  neurontune::cli::add_score(app, log);
  neurontune::cli::add_run(app, log);
  neurontune::cli::add_export(app, log);
  neurontune::cli::add_eval(app, log);
  neurontune::cli::add_compare(app, log);
  neurontune::cli::add_ablate(app, log);
  neurontune::cli::add_report(app, log);
  neurontune::cli::add_demo(app, log);
  neurontune::cli::add_help(app);
  neurontune::cli::add_completion(app);

  return neurontune::cli::exit_code_of(app, log, [&] { app.parse(argc, argv); });
}
