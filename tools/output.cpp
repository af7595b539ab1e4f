#include "output.h"

#include "neurontune/base/error.h"

namespace neurontune::cli {

OutputOptions::OutputOptions(CLI::App& command, Log& the_log) : log(the_log) {
  put(command.add_flag("--json", json, "Print one JSON document to stdout instead of text."),
      group::kOutput);
  const auto set_color = [this](const std::string& text) {
    if (text != "auto" && text != "always" && text != "never")
      throw OptionError("--color is " + text + ", expected one of auto, always, never");
    color = text;
  };
  auto* option = command.add_option_function<std::string>(
      "--color", set_color,
      "Whether the worst group stands in bold and colour. auto: on a terminal, unless the variable "
      "NO_COLOR is set.");
  put(option, group::kOutput, "WHEN [auto]", "auto, always or never")->take_last();
}

void print_warnings(const std::vector<std::string>& warnings, const OutputOptions& output) {
  for (const auto& warning : warnings) output.log.write(LogLevel::warn, warning);
}

}  // namespace neurontune::cli
