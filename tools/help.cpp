#include "help.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <vector>

#include "base/edit_distance.h"
#include "neurontune/base/error.h"
#include "screen.h"
#include "subcommands.h"
#include "wrapped.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kFlagIndent = 2, kTextIndent = 6;

constexpr std::array kGroups = {group::kModel,          group::kImages,     group::kSplits,
                                group::kIdentification, group::kRetraining, group::kSelection,
                                group::kOutput,         group::kGeneral};

// CLI11 keeps two texts of an option that are the formatter's alone: here they say all four things.
constexpr const char* kRare = ", rare";  // behind a group's name
constexpr char kRangeMark = '\n';        // between value and range

std::size_t columns() { return screen().text_columns(); }

bool is_rare(const CLI::Option& option) { return option.get_group().ends_with(kRare); }

/// The group that the help shows it in; flags of nobody's choosing, as CLI11's own, are general.
std::string group_of(const CLI::Option& option) {
  auto found = option.get_group();
  if (is_rare(option)) found.erase(found.rfind(kRare));
  const bool known = std::find(kGroups.begin(), kGroups.end(), found) != kGroups.end();
  return known ? found : group::kGeneral;
}

/// "--learning-rate, --lr"; of what may be given without its flag, the flag.
std::string names_of(const CLI::Option& option) {
  auto names = option.get_name(false, true);
  for (std::size_t comma = 0; (comma = names.find(',', comma)) != std::string::npos; comma += 2)
    names.insert(comma + 1, " ");
  return names;
}

/// A text with all its lines indented.
std::string block(const std::string& text, std::size_t indent) {
  if (text.empty()) return "";
  return std::string(indent, ' ') + wrapped(text, columns(), indent) + "\n";
}

/// "  --mask-value V [0] 0 to 1" with the description below; a range that is too long for the line
/// of the flag gets its own.
std::string entry(const CLI::Option& option) {
  auto [value, range] = help_text(option);
  auto heading = names_of(option);
  if (!value.empty()) heading += " " + value;
  if (option.get_required()) heading += " (required)";
  if (!range.empty() && kFlagIndent + heading.size() + 1 + range.size() <= columns()) {
    heading += " " + range;
    range.clear();
  }
  if (!range.empty()) range += ".";
  const std::string first(kFlagIndent, ' ');
  return first + wrapped(heading, columns(), kTextIndent) + "\n" + block(range, kTextIndent) +
         block(option.get_description(), kTextIndent);
}

std::string positionals(const CLI::App& app) {
  std::string text;
  for (const auto* option : app.get_options(
           [](const CLI::Option* one) { return one->get_positional() && !one->nonpositional(); }))
    text += entry(*option);
  return text.empty() ? "" : "\nArguments:\n" + text;
}

/// The flags of a group that are shown, those that are required first.
std::string entries(const CLI::App& app, const std::string& group, CLI::AppFormatMode mode) {
  std::string required, others;
  for (const auto* option : app.get_options()) {
    if (!option->nonpositional() || group_of(*option) != group) continue;
    if (mode == CLI::AppFormatMode::All || !is_rare(*option))
      (option->get_required() ? required : others) += entry(*option);
  }
  return required + others;
}

std::string flags(const CLI::App& app, CLI::AppFormatMode mode) {
  std::string text;
  for (const std::string shown : kGroups)
    if (const auto of_group = entries(app, shown, mode); !of_group.empty())
      text += "\n" + shown + ":\n" + of_group;
  return text;
}

bool has_rare(const CLI::App& app) {
  const auto options = app.get_options();
  return std::any_of(options.begin(), options.end(),
                     [](const CLI::Option* option) { return is_rare(*option); });
}

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    const bool is_program = app->get_parent() == nullptr;
    auto usage = make_usage(app, name);
    usage.erase(usage.find_last_not_of('\n') + 1);
    auto text = wrapped(app->get_description(), columns()) + "\n\n" +
                wrapped(usage, columns(), kTextIndent) + "\n" + positionals(*app) +
                flags(*app, mode);
    if (is_program) text += subcommands(*app, name, mode);
    const auto footer = is_program ? app->get_footer()
                        : mode != CLI::AppFormatMode::All && has_rare(*app)
                            ? name + " --help-all also shows the flags that are rarely needed."
                            : "";
    return text + (footer.empty() ? "" : "\n" + wrapped(footer, columns()) + "\n");
  }

 private:
  /// What each does; in full for --help-all.
  std::string subcommands(const CLI::App& app, const std::string& name,
                          CLI::AppFormatMode mode) const {
    std::size_t longest = 0;
    const auto commands = shown_subcommands(app);
    for (const auto* command : commands) longest = std::max(longest, command->get_name().size());
    const std::size_t indent = kFlagIndent + longest + 2;
    std::string list = "\nSubcommands:\n", all;
    for (const auto* command : commands) {
      auto line = std::string(kFlagIndent, ' ') + command->get_name();
      line.resize(indent, ' ');
      list += line + wrapped(command->get_description(), columns(), indent) + "\n";
      all += "\n\n" + make_help(command, name + " " + command->get_name(), mode);
    }
    return mode == CLI::AppFormatMode::All ? list + all : list;
  }
};

/// Not CLI11's own, which would be that of the subcommand help.
std::string help_of(const CLI::App& app, const std::string& name) {
  return HelpFormatter().make_help(&app, name, CLI::AppFormatMode::Normal);
}

/// neurontune help run: the same as neurontune run --help.
void print_help(const CLI::App& app, const std::string& subject) {
  if (subject.empty()) {
    std::cout << help_of(app, app.get_name());
    return;
  }
  std::vector<std::string> known;
  for (const auto* command : shown_subcommands(app)) {
    known.push_back(command->get_name());
    if (known.back() == subject) {
      std::cout << help_of(*command, app.get_name() + " " + subject);
      return;
    }
  }
  throw OptionError("there is no subcommand " + subject + nearest_known(subject, known));
}

}  // namespace

CLI::Option* put(CLI::Option* option, const char* in_group, const std::string& value,
                 const std::string& range, Use use) {
  option->group(std::string(in_group) + (use == Use::rare ? kRare : ""));
  option->option_text(range.empty() ? value : value + kRangeMark + range);
  return option;
}

HelpText help_text(const CLI::Option& option) {
  const auto& text = option.get_option_text();
  const auto mark = std::min(text.find(kRangeMark), text.size());
  return {text.substr(0, mark), mark < text.size() ? text.substr(mark + 1) : ""};
}

std::vector<const CLI::App*> shown_subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

void set_help(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Show the flags that are usually needed.");
  app.set_help_all_flag("--help-all", "Show all flags.");
}

void add_help(CLI::App& app) {
  auto* command = app.add_subcommand("help", "Explain a subcommand.");
  command->group("");  // hidden: the program's own help says it
  auto subject = std::make_shared<std::string>();
  command->add_option("SUBCOMMAND", *subject, "The subcommand to explain.");
  command->callback([&app, subject] { print_help(app, *subject); });
}

}  // namespace neurontune::cli
