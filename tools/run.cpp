#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "add_subcommand.h"
#include "exit_code.h"
#include "help.h"
#include "io/json_text.h"
#include "metrics_table.h"
#include "neurontune/pipeline/run.h"
#include "neurontune/report/conclusion.h"
#include "output.h"
#include "progress_bar.h"
#include "setting_options.h"
#include "subcommands.h"
#include "wrapped.h"

namespace neurontune::cli {
namespace {

/// The split a person wants to see: test, or else the last one.
std::string shown_split(const RunReport& report) {
  return report.tuned.contains("test") ? "test" : report.tuned.rbegin()->first;
}

struct RunCommand {
  RunCommand(CLI::App& command, Log& log)
      : settings(command, log,
                 {SettingGroup::model, SettingGroup::head, SettingGroup::embeddings,
                  SettingGroup::splits, SettingGroup::identification, SettingGroup::tuning,
                  SettingGroup::machine}),
        output(command, log) {
    put(command.add_option("--out", out, "Folder for the results. It is made where there is none."),
        group::kOutput, "OUT")
        ->required();
    put(command.add_flag("--exit-code", exit_code,
                         "Exit with 4 if ERM's head was kept, since no repair was better."),
        group::kOutput);
  }

  void execute() const {
    const auto outcome = [&] {
      ProgressBar progress(output.log);
      return run(settings.resolve(), out, progress.callback(), output.log.callback());
    }();
    print_warnings(outcome.report.warnings, output);
    if (output.json)
      std::cout << json_text(result_json(outcome.report)) << '\n';
    else
      print_run(outcome);
    const bool kept = outcome.report.result.settings().source == Source::erm;
    if (exit_code && kept) throw Ended{kErmHeadKept};
  }

  SettingOptions settings;
  OutputOptions output;
  std::string out;
  bool exit_code = false;
};

}  // namespace

void print_warnings(const std::vector<std::string>& warnings, const OutputOptions& output) {
  for (const auto& warning : warnings) output.log.write(LogLevel::warn, warning);
}

void print_run(const RunOutcome& outcome) {
  const auto& report = outcome.report;
  const auto biased = report.result.masked();
  const auto split = shown_split(report);
  if (report.verified)
    std::cout << "head(features(x)) equals model(x) within " << report.verified->max_abs_difference
              << "\n";
  std::cout << biased.count() << " of " << biased.biased.numel() << " dimensions masked.\n"
            << wrapped(conclusion(report.result)) << "\n\n"
            << metrics_table(
                   {{"ERM", report.erm.at(split)}, {"NeuronTune", report.tuned.at(split)}},
                   outcome.names)
            << "(accuracy on " << split << ")\n";
}

void add_run(CLI::App& app, Log& log) {
  add_subcommand<RunCommand>(app, log, "run", "Repair a model: identify, retrain, select, export");
}

}  // namespace neurontune::cli
