#include "completion.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>

#include "help.h"
#include "neurontune/base/error.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The words of "auto, cpu, cuda or cuda:N" that stand for themselves.
std::vector<std::string> words_of(std::string range) {
  std::replace(range.begin(), range.end(), ',', ' ');
  std::istringstream parts(range);
  std::vector<std::string> words;
  for (std::string word; parts >> word;) {
    const bool is_name = std::all_of(word.begin(), word.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (is_name && word != "or") words.push_back(word);
  }
  return words;
}

/// What the help says of a value says how it is completed: "FILE", "DIR", "NAME [auto]" with a
/// range of names.
void set_value(CompletedFlag& flag, const HelpText& text) {
  const auto& value = text.value;
  flag.takes_value = true;
  if (has(value, "FILE") || has(value, "LIB") || has(value, "MODEL")) {
    flag.completed = Completed::files;
  } else if (has(value, "DIR") || has(value, "OUT")) {
    flag.completed = Completed::folders;
  } else if (value.starts_with("SPLIT")) {
    flag.completed = Completed::words;
    flag.words = {"train", "val", "test"};
  } else if (!text.range.empty() && (value.starts_with("NAME") || value.starts_with("LEVEL") ||
                                     value.starts_with("WHEN"))) {
    flag.completed = Completed::words;
    flag.words = words_of(text.range);
  }
}

std::string first_sentence(const std::string& text) {
  auto end = text.find(". ");
  if (end == std::string::npos) end = text.ends_with('.') ? text.size() - 1 : text.size();
  return text.substr(0, end);
}

CompletedFlag completed_flag(const CLI::Option& option) {
  CompletedFlag flag;
  for (const auto& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) flag.names.push_back("--" + name);
  flag.description = first_sentence(option.get_description());
  if (option.get_items_expected_max() > 0) set_value(flag, help_text(option));
  return flag;
}

CompletedCommand completed_command(const CLI::App& app) {
  CompletedCommand command{app.get_parent() == nullptr ? "" : app.get_name(),
                           first_sentence(app.get_description()),
                           {},
                           Completed::nothing,
                           {}};
  for (const auto* option : app.get_options()) {
    auto flag = completed_flag(*option);
    if (option->get_positional()) command.argument = flag.completed;
    if (option->nonpositional()) command.flags.push_back(std::move(flag));
  }
  return command;
}

}  // namespace

std::vector<CompletedCommand> completed_commands(const CLI::App& app) {
  std::vector<CompletedCommand> commands = {completed_command(app)};
  std::vector<std::string> names;
  for (const auto* command : shown_subcommands(app)) {
    commands.push_back(completed_command(*command));
    names.push_back(command->get_name());
  }
  CompletedCommand help{"help", "Explain a subcommand", {}, Completed::words, names};
  commands.push_back(std::move(help));
  return commands;
}

void add_completion(CLI::App& app) {
  auto* command = app.add_subcommand("completion", "Print a script that completes command lines.");
  command->group("");  // hidden: the build installs the scripts
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish.")->required();
  command->callback([&app, shell] {
    const auto commands = completed_commands(app);
    if (*shell == "bash")
      std::cout << bash_completion(commands);
    else if (*shell == "zsh")
      std::cout << zsh_completion(commands);
    else if (*shell == "fish")
      std::cout << fish_completion(commands);
    else
      throw OptionError("the shell is " + *shell + ", expected one of bash, zsh, fish");
  });
}

}  // namespace neurontune::cli
