#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace neurontune::cli {

/// The groups of flags in the help, in the order they are shown.
namespace group {
inline constexpr const char* kModel = "Model";
inline constexpr const char* kImages = "Images";
inline constexpr const char* kSplits = "Splits";
inline constexpr const char* kIdentification = "Identification";
inline constexpr const char* kRetraining = "Retraining";
inline constexpr const char* kSelection = "Selection";
inline constexpr const char* kOutput = "Output";
inline constexpr const char* kGeneral = "General";
}  // namespace group

/// Whether --help shows a flag, or only --help-all.
enum class Use {
  common,  ///< a first user may need it: what goes in and out, and what data sets differ in
  rare,    ///< good defaults, or unusual models and files
};

/// Puts an option into a group of the help.
///
/// @param value what stands behind the flag, and its default: "V [0]"
/// @param range which values are valid: "0 to 1"
/// @return the option
CLI::Option* put(CLI::Option* option, const char* in_group, const std::string& value = "",
                 const std::string& range = "", Use use = Use::common);

/// What `put` was told: what stands behind the flag, and which values are valid.
struct HelpText {
  std::string value, range;
};
HelpText help_text(const CLI::Option& option);

/// The subcommands that the help lists: those that are not hidden.
std::vector<const CLI::App*> shown_subcommands(const CLI::App& app);

/// Gives the program and the subcommands that it gets from now on --help, in groups and as wide as
/// the terminal (COLUMNS, or 80 where there is none, and at most 80), and --help-all.
void set_help(CLI::App& app);

}  // namespace neurontune::cli
