#include <map>

#include "base/describe.h"
#include "completion.h"

namespace neurontune::cli {
namespace {

/// What completes a value: a function of the script, with the words where there are some.
std::string action(Completed completed, const std::vector<std::string>& words) {
  switch (completed) {
    case Completed::words:
      return "_neurontune_words '" + joined(words, " ") + "'";
    case Completed::files:
      return "_neurontune_paths -f";
    case Completed::folders:
      return "_neurontune_paths -d";
    case Completed::nothing:
      break;
  }
  return ":";
}

/// The cases of flags that take a value: those that are completed alike stand together.
std::string value_cases(const std::vector<CompletedCommand>& commands) {
  std::map<std::string, std::vector<std::string>> patterns;
  for (const auto& command : commands)
    for (const auto& flag : command.flags)
      if (flag.takes_value)
        for (const auto& name : flag.names)
          patterns[action(flag.completed, flag.words)].push_back(command.name + "\\ " + name);
  std::string text;
  for (const auto& [done, of] : patterns)
    text +=
        "    " + joined(of, " | \\\n      ") + ")\n      " + done + "\n      return\n      ;;\n";
  return text;
}

/// The subcommands, which stand where no other is yet.
std::string subcommands(const std::vector<CompletedCommand>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands)
    if (!command.name.empty()) names.push_back(command.name);
  return action(Completed::words, names);
}

/// The flags of each subcommand, and its argument.
std::string command_cases(const std::vector<CompletedCommand>& commands) {
  std::string text;
  for (const auto& command : commands) {
    std::vector<std::string> flags;
    for (const auto& flag : command.flags)
      flags.insert(flags.end(), flag.names.begin(), flag.names.end());
    text += "    '" + command.name + "')\n      flags='" + joined(flags, " ") + "'\n";
    if (!command.name.empty())
      text += "      argument=(" + action(command.argument, command.argument_words) + ")\n";
    text += "      ;;\n";
  }
  return text;
}

}  // namespace

std::string bash_completion(const std::vector<CompletedCommand>& commands) {
  return R"(# bash completion of neurontune, made by `neurontune completion bash`.

_neurontune_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_neurontune_paths() {
  compopt -o filenames 2> /dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_neurontune() {
  local current=${COMP_WORDS[COMP_CWORD]} previous='' subcommand='' flags='' word
  COMPREPLY=()
  ((COMP_CWORD > 0)) && previous=${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $current == = ]]; then # --flag=
    current=''
  elif [[ $previous == = ]]; then # --flag=value
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    [[ $word == -* ]] && continue
    subcommand=$word
    break
  done

  case "$subcommand $previous" in
)" + value_cases(commands) +
         R"(  esac

  local -a argument=()" +
         subcommands(commands) + R"()
  case $subcommand in
)" + command_cases(commands) +
         R"(  esac
  if [[ $current == -* ]]; then
    _neurontune_words "$flags"
  else
    "${argument[@]}"
  fi
}

complete -F _neurontune neurontune
)";
}

}  // namespace neurontune::cli
