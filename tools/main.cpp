#include <c10/util/Exception.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "neurontune/error.h"
#include "neurontune/version.h"
#include "subcommands.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

/// LibTorch's own warnings mean nothing to the user of a command line.
class SilentWarnings : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

int fail(int code, std::string message) {
  if (const auto end = message.find('\n'); end != std::string::npos) message.resize(end);
  std::cerr << "error: " << message << '\n';
  return code;
}

}  // namespace

int main(int argc, char** argv) {
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
  neurontune::cli::add_demo(app);

  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const neurontune::OptionError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const c10::Error& error) {
    return fail(kFailed, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}
