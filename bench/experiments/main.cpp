// Steps of experiments that the command line has no subcommand for: each prints one JSON document.
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "neurontune/error.h"
#include "subcommands.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int fail(int code, std::string message) {
  if (const auto end = message.find('\n'); end != std::string::npos) message.resize(end);
  std::cerr << "error: " << message << '\n';
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Steps of bench/experiments.py. Exit codes: 0 done, 2 wrong usage, 1 all else.",
               "experiments");
  app.require_subcommand(1);
  neurontune::experiments::add_label_noise(app);
  neurontune::experiments::add_identification_data(app);
  neurontune::experiments::add_selection(app);
  neurontune::experiments::add_transfer(app);
  const c10::NoGradGuard no_grad;
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& help) {
    return app.exit(help);
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
