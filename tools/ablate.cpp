#include "neurontune/compare/ablate.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "add_subcommand.h"
#include "base/describe.h"
#include "help.h"
#include "neurontune/compare/comparison_report.h"
#include "output.h"
#include "page_flags.h"
#include "progress_bar.h"
#include "report/text_rows.h"
#include "setting_options.h"
#include "subcommands.h"
#include "table.h"

namespace neurontune::cli {
namespace {

/// What every run of a point has in common, or its range: "16", "12–40".
std::string range_text(const AblationPoint& point, int64_t AblationRun::*field) {
  if (point.runs.empty()) return "–";
  auto least = point.runs.front().*field, most = least;
  for (const auto& run : point.runs) {
    least = std::min(least, run.*field);
    most = std::max(most, run.*field);
  }
  return std::to_string(least) + (least == most ? "" : "–" + std::to_string(most));
}

/// The heads that the runs of a point picked: epochs, or else where they come from.
std::string picked_text(const AblationPoint& point) {
  std::vector<std::string> seen;
  for (const auto& run : point.runs) {
    const auto picked = run.source == Source::neurontune ? std::to_string(*run.selected_epoch)
                                                         : std::string(name(run.source));
    if (std::find(seen.begin(), seen.end(), picked) == seen.end()) seen.push_back(picked);
  }
  return seen.empty() ? "–" : listed(seen);
}

void print_ablation(const AblationReport& report, const Screen& screen) {
  std::vector<std::vector<std::string>> rows = {{}};
  for (const auto& [key, value] : report.points.front().settings) rows.front().push_back(key);
  for (const auto* heading : {"masked", "picked", "mean", "worst group", "worst class"})
    rows.front().emplace_back(heading);
  std::set<std::pair<std::size_t, std::size_t>> emphasised;
  for (const auto& point : report.points) {
    emphasised.insert({rows.size(), point.settings.size() + 3});
    rows.emplace_back();
    for (const auto& [key, value] : point.settings) rows.back().push_back(value);
    rows.back().push_back(range_text(point, &AblationRun::biased));
    rows.back().push_back(picked_text(point));
    for (const auto* name : {"mean_accuracy", "worst_group_accuracy", "worst_class_accuracy"})
      rows.back().push_back(summary_text(point.test, name));
  }
  const auto note = accuracy_over_seeds(report.seeds.size()) + "; of " +
                    std::to_string(report.dimensions) + " dimensions";
  std::cout << table(rows, screen, emphasised) << screen.fitted(note) << '\n';
}

struct AblateCommand {
  AblateCommand(CLI::App& command, Log& log)
      : settings(command, log,
                 {SettingGroup::model, SettingGroup::head, SettingGroup::embeddings,
                  SettingGroup::splits, SettingGroup::identification, SettingGroup::tuning,
                  SettingGroup::machine}),
        output(command, log) {
    put(command.add_option("--sweep", sweeps,
                           "A setting of the config and the values to try: "
                           "identify.mask_value=0,0.5. Given several times, every combination is "
                           "tried."),
        group::kSelection, "KEY=VALUE,…")
        ->required();
    put(command.add_option("--seeds", options.seeds,
                           "Random seeds that each combination is run with, from --seed on."),
        group::kRetraining, "N [1]", "1 to 10000");
    put(command.add_flag("--trajectory", options.trajectory,
                         "Also evaluate every epoch on the test split, for ablate.json."),
        group::kOutput, "", "", Use::rare);
    put(command.add_option("--out", out, "Folder for ablate.json, ablate.csv and report.html."),
        group::kOutput, "OUT")
        ->required();
    add_report_flag(command, options.page);
  }

  void execute() {
    std::vector<Sweep> parsed;
    for (const auto& sweep : sweeps) parsed.push_back(Sweep::parse(sweep));
    options.points.clear();
    const auto config = settings.resolve();
    for (const auto& point : grid(parsed))
      options.points.push_back({point, with_settings(config, point)});
    const auto report = [&] {
      ProgressBar progress(output.log);
      return ablate(options, out, progress.callback(), output.log.callback());
    }();
    print_warnings(warnings(report), output);
    if (output.json)
      std::cout << json_text(report) << '\n';
    else
      print_ablation(report, output.screen());
  }

  static std::vector<std::string> warnings(const AblationReport& report) {
    auto texts = report.warnings;
    for (const auto& point : report.points) {
      std::vector<std::string> settings;
      for (const auto& [key, value] : point.settings) settings.push_back(key + " = " + value);
      const auto where = listed(settings);
      if (!point.failure.empty()) texts.push_back(where + " could not be run: " + point.failure);
      if (point.runs.empty()) continue;  // those of other seeds say the same in other figures
      for (const auto& warning : point.runs.front().warnings)
        texts.push_back(where + ": " + warning);
    }
    return texts;
  }

  SettingOptions settings;
  OutputOptions output;
  AblateOptions options;
  std::vector<std::string> sweeps;
  std::string out;
};

}  // namespace

void add_ablate(CLI::App& app, Log& log) {
  add_subcommand<AblateCommand>(app, log, "ablate", "Sweep settings and see what each changes");
}

}  // namespace neurontune::cli
