#include "exit_code.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/edit_distance.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "standard_streams.h"

namespace neurontune::cli {
namespace {

constexpr size_t kFindingsShown = 10;

/// Prints the first findings, a line each; the closing line would say all of a single one.
void print_findings(const DataError& error, Log& log) {
  const auto& findings = error.findings();
  if (findings.size() == 1) return;
  for (size_t index = 0; index < findings.size() && index < kFindingsShown; ++index)
    log.finding(error.source() + ": " + findings[index]);
  if (findings.size() > kFindingsShown)
    log.finding("… and " + std::to_string(findings.size() - kFindingsShown) + " more");
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
  if (std::find(known.begin(), known.end(), argument) != known.end())
    return argument + " stands before the subcommand, expected after it";
  return "unknown argument " + argument + nearest_known(argument, known);
}

/// "--seeds is abc, expected a number" of CLI11's "Could not convert: --seeds = abc".
std::string conversion_message(const CLI::ConversionError& error) {
  std::string text = error.what();
  const auto option = text.find("--"), value = text.find(" = ");
  if (option > value || value == std::string::npos) return text;
  return text.substr(option, value - option) + " is " + text.substr(value + 3) +
         ", expected a number";
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining(/*recurse=*/true);
  if (!unknown.empty()) return unknown_argument(app, unknown.front());
  if (app.get_subcommands().empty() && !app.get_subcommands({}).empty())
    return "no subcommand is given; neurontune --help shows them";
  const auto* conversion = dynamic_cast<const CLI::ConversionError*>(&error);
  return conversion ? conversion_message(*conversion) : error.what();
}

/// Results that did not arrive are a failure whatever they are.
int print_results(const CLI::App& app, Log& log, const std::function<void()>& body) {
  int code = kDone;
  std::optional<NotAsRequired> not_as_required;
  try {
    body();
  } catch (const CLI::Success& help_or_version) {
    app.exit(help_or_version);
  } catch (const Ended& ended) {
    code = ended.code;
  } catch (const NotAsRequired& error) {
    not_as_required = error;
  }
  finish_stdout();
  if (!not_as_required) return code;
  print_findings(*not_as_required, log);
  log.fail(not_as_required->what());
  return kNotAsRequired;
}

}  // namespace

int exit_code_of(const CLI::App& app, Log& log, const std::function<void()>& body) {
  const auto fail = [&log](int code, const std::string& message) {
    log.fail(message);
    return code;
  };
  try {
    return print_results(app, log, body);
  } catch (const CLI::ParseError& error) {
    return fail(kWrongUsage, usage_message(app, error));
  } catch (const OptionError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const DataError& error) {
    print_findings(error, log);
    return fail(kFailed, error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(kFailed, error.path1().string() + ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    return fail(kFailed, "there is not enough memory");
  } catch (const c10::Error& error) {
    return fail(kFailed, error.what_without_backtrace());
  } catch (const nlohmann::json::exception& error) {
    return fail(kFailed, "JSON cannot be used: " + json_reason(error));
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}

}  // namespace neurontune::cli
