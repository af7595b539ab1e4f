#include "log_options.h"

#include <array>
#include <string>
#include <vector>

#include "base/describe.h"
#include "help.h"
#include "neurontune/base/error.h"

namespace neurontune::cli {
namespace {

constexpr std::array kLevels = {LogLevel::trace, LogLevel::debug, LogLevel::info,
                                LogLevel::warn,  LogLevel::error, LogLevel::off};

/// @throws OptionError if there is no such level
LogLevel level_named(const std::string& text) {
  std::vector<std::string> known;
  for (const auto level : kLevels) {
    known.emplace_back(name(level));
    if (text == known.back()) return level;
  }
  throw OptionError("--log-level is " + text + ", expected one of " + listed(known));
}

}  // namespace

void add_log_options(CLI::App& command, Log& log) {
  put(command.add_flag_callback(
          "--quiet", [&log] { log.set_quiet(); },
          "Print errors only, and no progress. A log file still gets everything."),
      group::kOutput);
  const auto set_level = [&log](const std::string& text) { log.set_level(level_named(text)); };
  auto* level =
      put(command.add_option_function<std::string>(
              "--log-level", set_level,
              "Which messages are shown on stderr and in the log file. debug says which files were "
              "read, how the model was split, why stored embeddings were not reused, and how long "
              "each step took. off leaves only the line that says why the program failed."),
          group::kOutput, "LEVEL [warn]", "trace, debug, info, warn, error or off");
  level->take_last();
  const auto open_file = [&log](const std::string& path) { log.open_file(path); };
  auto* file = put(command.add_option_function<std::string>(
                       "--log-file", open_file,
                       "Also write the log to this file, with time and level. It is appended to."),
                   group::kOutput, "FILE");
  file->take_last();
}

}  // namespace neurontune::cli
