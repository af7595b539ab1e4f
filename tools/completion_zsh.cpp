#include "base/describe.h"
#include "completion.h"

namespace neurontune::cli {
namespace {

/// In single quotes, with the characters that _arguments and _describe read escaped.
std::string quoted(const std::string& text, const std::string& special) {
  std::string inside;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) inside += '\\';
    inside += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return inside;
}

std::string action(Completed completed, const std::vector<std::string>& words) {
  switch (completed) {
    case Completed::words:
      return "(" + joined(words, " ") + ")";
    case Completed::files:
      return "_files";
    case Completed::folders:
      return "_files -/";
    case Completed::nothing:
      break;
  }
  return " ";
}

std::string flag_lines(const CompletedFlag& flag) {
  std::string text;
  for (const auto& name : flag.names) {
    text += " \\\n        '*" + name;
    if (flag.takes_value && name.starts_with("--")) text += "=";
    text += "[" + quoted(flag.description, "[]\\:") + "]";
    if (flag.takes_value) text += ":value:" + action(flag.completed, flag.words);
    text += "'";
  }
  return text;
}

}  // namespace

std::string zsh_completion(const std::vector<CompletedCommand>& commands) {
  std::string names, own_flags, cases;
  for (const auto& command : commands) {
    std::string flags;
    for (const auto& flag : command.flags) flags += flag_lines(flag);
    if (command.name.empty()) {
      own_flags = flags;
      continue;
    }
    names += "    '" + command.name + ":" + quoted(command.description, ":\\") + "'\n";
    cases += "    " + command.name + ")\n      _arguments -S" + flags;
    if (command.argument != Completed::nothing)
      cases += " \\\n        '1:argument:" + action(command.argument, command.argument_words) + "'";
    cases += "\n      ;;\n";
  }
  return "#compdef neurontune\n"
         "# zsh completion of neurontune, made by `neurontune completion zsh`.\n\n"
         "_neurontune() {\n"
         "  local curcontext=$curcontext state line\n"
         "  local -a subcommands\n"
         "  typeset -A opt_args\n"
         "  subcommands=(\n" +
         names + "  )\n  _arguments -C -S" + own_flags +
         " \\\n        '1:subcommand:->subcommand' \\\n        '*::argument:->argument' && return\n"
         "  if [[ $state == subcommand ]]; then\n"
         "    _describe subcommand subcommands\n"
         "    return\n"
         "  fi\n"
         "  case $words[1] in\n" +
         cases +
         "  esac\n"
         "}\n\n"
         "_neurontune \"$@\"\n";
}

}  // namespace neurontune::cli
