#include "closing_message.h"

#include <algorithm>
#include <sstream>

#include "base/byte_escapes.h"
#include "base/describe.h"
#include "metrics_table.h"
#include "neurontune/report/conclusion.h"
#include "text_width.h"
#include "wrapped.h"

namespace neurontune::cli {
namespace {

/// "Worst-group accuracy on test: 23.4 % → 79.8 %"
std::string change(const std::string& what, double before, double after) {
  const auto from = as_percent(before), to = as_percent(after);
  return what + ": " + (from == to ? to + " before and after" : from + " → " + to);
}

/// "pullover with bag", or where another group is the worst now "… → coat with sneaker".
std::string worst_groups(const GroupMetrics& before, const GroupMetrics& after,
                         const Names& names) {
  const auto from = worst_group_name(before, names), to = worst_group_name(after, names);
  return escaped_line(from == to ? to : from + " → " + to);
}

/// How the worst inferred group has changed, if there are inferred groups that are trusted.
std::string inferred_change(const RepairResult& result) {
  const auto& selected = result.candidates.front().inferred;
  if (result.shortcut.verdict != ShortcutVerdict::supported || !result.erm.inferred || !selected)
    return "";
  return change("Worst inferred group on held-out data, an estimate",
                result.erm.inferred->worst_accuracy(), selected->worst_accuracy());
}

/// What a person wants first, a line each.
std::vector<std::string> headline(const RunOutcome& outcome, const std::string& split) {
  const auto &before = outcome.report.erm.at(split), &after = outcome.report.tuned.at(split);
  std::vector<std::string> lines;
  if (before.groups && after.groups) {
    lines.push_back(change("Worst-group accuracy on " + split, before.groups->worst_group_accuracy,
                           after.groups->worst_group_accuracy) +
                    " (" + worst_groups(*before.groups, *after.groups, outcome.names) + ")");
  } else {
    if (const auto* repaired = outcome.report.result.repair(); repaired != nullptr)
      if (auto line = inferred_change(*repaired); !line.empty()) lines.push_back(std::move(line));
    lines.push_back(change("Worst-class accuracy on " + split, before.accuracy.worst_class_accuracy,
                           after.accuracy.worst_class_accuracy));
  }
  lines.push_back(change("Mean accuracy on " + split, before.accuracy.mean_accuracy,
                         after.accuracy.mean_accuracy));
  return lines;
}

/// What was done and why, in sentences.
std::string explanation(const RunReport& report) {
  const auto masked = report.result.masked();
  std::ostringstream text;
  text << conclusion(report.result);
  if (report.result.settings().source != Source::neurontune)  // of these it says so itself
    text << " " << masked.count() << " of " << masked.biased.numel() << " dimensions masked.";
  if (report.verified)
    text << " head(features(x)) equals model(x) within " << report.verified->max_abs_difference
         << ".";
  return text.str();
}

/// What is in a file, in a few words; nothing for those that a person need not open.
std::string content_of(const std::string& file) {
  static const std::map<std::string, std::string> known = {
      {"model.pt", "the model with the new head; load it as before"},
      {"head.safetensors", "the new head alone"},
      {"report.html", "the report, for a browser"},
      {"result.json", "all figures and settings"},
      {"MODEL_CARD.md", "a card to publish the model with"},
      {"spuriousness.safetensors", "each dimension's score"},
      {"trajectory.jsonl", "each epoch of NeuronTune"},
      {"transform.json", "how images become the model's input"}};
  const auto found = known.find(file);
  return found == known.end() ? "" : found->second;
}

/// The files of a result, those that are used next first. The page may have been left out.
std::vector<std::string> written_files(const RunReport& report, const std::filesystem::path& out) {
  const std::vector<std::string> first = {"model.pt", "head.safetensors", "report.html",
                                          "result.json", "MODEL_CARD.md"};
  std::vector<std::string> files;
  for (const auto& file : first)
    if (std::filesystem::exists(out / file)) files.push_back(file);
  for (const auto& [file, digest] : report.files)
    if (std::find(first.begin(), first.end(), file) == first.end()) files.push_back(file);
  return files;
}

std::string file_list(const RunReport& report, const std::filesystem::path& out,
                      std::size_t columns) {
  const auto files = written_files(report, out);
  std::size_t longest = 0;
  for (const auto& file : files) longest = std::max(longest, text_width(file));
  auto text = wrapped("Written to " + escaped_line(out.string()) + ":", columns) + "\n";
  for (const auto& file : files) {
    const auto content = content_of(file);
    auto line = "  " + file;
    if (!content.empty()) {
      line.append(longest + 4 - text_width(line), ' ');
      line += wrapped(content, columns, longest + 4);
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string closing_message(const RunOutcome& outcome, const std::filesystem::path& out,
                            const NamedMetrics& rows, const Screen& screen) {
  const auto columns = screen.text_columns();
  const auto split = shown_split(outcome.report);
  std::string text;
  for (const auto& line : headline(outcome, split)) {
    const auto broken = wrapped(line, columns, 0);
    text += (text.empty() ? screen.emphasised(broken) : broken) + "\n";
  }
  return text + "\n" + wrapped(explanation(outcome.report), columns) + "\n\n" +
         metrics_table(rows, outcome.names, screen) + "(accuracy on " + split + ")\n\n" +
         file_list(outcome.report, out, columns);
}

}  // namespace neurontune::cli
