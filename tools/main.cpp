#include <c10/util/Exception.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "edit_distance.h"
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

constexpr size_t kFindingsShown = 10;

/// Prints the first findings, a line each; the closing line would say all of a single one.
void print_findings(const neurontune::DataError& error) {
  const auto& findings = error.findings();
  if (findings.size() == 1) return;
  for (size_t index = 0; index < findings.size() && index < kFindingsShown; ++index)
    std::cerr << error.source() << ": " << findings[index] << '\n';
  if (findings.size() > kFindingsShown)
    std::cerr << "… and " << findings.size() - kFindingsShown << " more\n";
}

int fail(int code, std::string message) {
  if (const auto end = message.find('\n'); end != std::string::npos) message.resize(end);
  std::cerr << "error: " << message << '\n';
  return code;
}

/// The subcommand on the command line, or the program where there is none.
const CLI::App& addressed(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : *subcommands.front();
}

/// "unknown argument rum; the nearest known one is run".
std::string unknown_argument(const CLI::App& app, const std::string& argument) {
  std::vector<std::string> known;
  for (const auto* option : addressed(app).get_options())
    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  if (app.get_subcommands().empty())
    for (const auto* subcommand : app.get_subcommands({})) known.push_back(subcommand->get_name());
  return "unknown argument " + argument + "; the nearest known one is " +
         neurontune::nearest(argument, known);
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining(/*recurse=*/true);
  return unknown.empty() ? error.what() : unknown_argument(app, unknown.front());
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
  neurontune::cli::add_compare(app);
  neurontune::cli::add_ablate(app);
  neurontune::cli::add_demo(app);

  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return fail(kWrongUsage, usage_message(app, error));
  } catch (const neurontune::OptionError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const neurontune::DataError& error) {
    print_findings(error);
    return fail(kFailed, error.what());
  } catch (const c10::Error& error) {
    return fail(kFailed, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}
