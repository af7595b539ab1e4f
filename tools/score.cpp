#include "neurontune/pipeline/score.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "add_subcommand.h"
#include "base/describe.h"
#include "help.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "io/output_folder.h"
#include "neurontune/data/names.h"
#include "neurontune/report/run_report.h"
#include "output.h"
#include "pipeline/score_json.h"
#include "setting_options.h"
#include "subcommands.h"
#include "table.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kShown = 10;

void print_scores(const ScoreOutcome& outcome, const Names& names, const Screen& screen) {
  std::vector<std::vector<std::string>> classes = {{"class", "correct", "misclassified", ""}};
  for (int64_t label = 0; label < outcome.scores.classes(); ++label)
    classes.push_back({names.label(label), std::to_string(outcome.scores.correct[label]),
                       std::to_string(outcome.scores.misclassified[label]),
                       outcome.scores.usable(label) ? "" : "unusable"});
  std::cout << table(classes, screen) << '\n';

  std::vector<std::vector<std::string>> rows = {{"dimension", "score", "for", "most active in"}};
  for (std::size_t i = 0; i < std::min(kShown, outcome.strongest.size()); ++i) {
    const auto& dimension = outcome.strongest[i];
    char score[32];
    std::snprintf(score, sizeof score, "%+.4g", dimension.score);
    rows.push_back({std::to_string(dimension.index), score, names.label(dimension.label),
                    listed(dimension.samples)});
  }
  auto note = std::to_string(outcome.biased.count()) + " of " +
              std::to_string(outcome.biased.biased.numel()) + " dimensions are biased";
  if (outcome.strongest.size() > kShown)
    note += "; the " + std::to_string(kShown) + " strongest are shown";
  std::cout << table(rows, screen) << screen.fitted(note) << '\n';
}

struct ScoreCommand {
  ScoreCommand(CLI::App& command, Log& log)
      : settings(command, log,
                 {SettingGroup::embeddings, SettingGroup::splits, SettingGroup::identification,
                  SettingGroup::machine}),
        output(command, log) {
    command.get_option("--embeddings")->required();
    put(command.add_option("--out", out, "Folder for score.json and spuriousness.safetensors."),
        group::kOutput, "DIR");
  }

  void execute() const {
    const auto config = settings.resolve();
    print_warnings(settings.warnings(config), output);
    const std::vector<std::string> files = {"spuriousness.safetensors", "score.json"};
    std::optional<OutputFolder> folder;
    if (!out.empty()) {
      check_holds_no_other(out, {"result.json"});
      folder.emplace(out, files);
    }
    const auto outcome = score(config, 3, output.log.callback());
    print_warnings(outcome.warnings, output);
    const auto json = json_text(score_json(outcome), output.json ? -1 : 2) + "\n";
    if (folder) {
      folder->begin(files);
      write_spuriousness(*folder / "spuriousness.safetensors", outcome.scores, outcome.biased,
                         outcome.test);
      write_file(*folder / "score.json", json);
      folder->finish(files);
    }
    if (output.json)
      std::cout << json;
    else
      print_scores(outcome, Names::read(config.embeddings.path), output.screen());
  }

  SettingOptions settings;
  OutputOptions output;
  std::string out;
};

}  // namespace

void add_score(CLI::App& app, Log& log) {
  add_subcommand<ScoreCommand>(app, log, "score",
                               "Show the biased dimensions of a set of embeddings");
}

}  // namespace neurontune::cli
