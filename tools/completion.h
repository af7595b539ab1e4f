#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace neurontune::cli {

/// What can stand behind a flag.
enum class Completed { nothing, words, files, folders };

/// A flag, or the argument without one, as a shell completes it.
struct CompletedFlag {
  std::vector<std::string> names;  ///< with dashes, "--lr"
  std::string description;         ///< one sentence
  bool takes_value = false;
  Completed completed = Completed::nothing;
  std::vector<std::string> words;
};

struct CompletedCommand {
  std::string name, description;
  std::vector<CompletedFlag> flags;
  Completed argument = Completed::nothing;  ///< what may stand without a flag
  std::vector<std::string> argument_words;
};

/// The program's own flags, under an empty name, and its subcommands.
std::vector<CompletedCommand> completed_commands(const CLI::App& app);

// Scripts that complete the program's command line, as each shell reads them.
std::string bash_completion(const std::vector<CompletedCommand>& commands);
std::string zsh_completion(const std::vector<CompletedCommand>& commands);
std::string fish_completion(const std::vector<CompletedCommand>& commands);

}  // namespace neurontune::cli
