#include "base/describe.h"
#include "completion.h"

namespace neurontune::cli {
namespace {

/// A word of fish, in single quotes.
std::string quoted(const std::string& text) {
  std::string inside;
  for (const char c : text) {
    if (c == '\'' || c == '\\') inside += '\\';
    inside += c;
  }
  return "'" + inside + "'";
}

/// What follows a flag, or stands without one.
std::string action(Completed completed, const std::vector<std::string>& words) {
  switch (completed) {
    case Completed::words:
      return " -x -a " + quoted(joined(words, " "));
    case Completed::files:
      return " -r -F";
    case Completed::folders:
      return " -x -a '(__fish_complete_directories)'";
    case Completed::nothing:
      break;
  }
  return " -x";
}

std::string flag_line(const std::string& condition, const CompletedFlag& flag) {
  std::string line = condition;
  for (const auto& name : flag.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (flag.takes_value) line += action(flag.completed, flag.words);
  return line + " -d " + quoted(flag.description) + "\n";
}

}  // namespace

std::string fish_completion(const std::vector<CompletedCommand>& commands) {
  const std::string start = "complete -c neurontune";
  std::string text =
      "# fish completion of neurontune, made by `neurontune completion fish`.\n" + start + " -f\n";
  for (const auto& command : commands) {
    const bool is_program = command.name.empty();
    const auto condition = start + " -n " +
                           (is_program ? "__fish_use_subcommand"
                                       : quoted("__fish_seen_subcommand_from " + command.name));
    if (!is_program)
      text += start + " -n __fish_use_subcommand -a " + command.name + " -d " +
              quoted(command.description) + "\n";
    for (const auto& flag : command.flags) text += flag_line(condition, flag);
    if (command.argument == Completed::files) text += condition + " -F\n";
    if (command.argument == Completed::words)
      text += condition + " -a " + quoted(joined(command.argument_words, " ")) + "\n";
  }
  return text;
}

}  // namespace neurontune::cli
