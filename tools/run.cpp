#include <CLI/CLI.hpp>
#include <iostream>

#include "add_subcommand.h"
#include "closing_message.h"
#include "exit_code.h"
#include "help.h"
#include "io/file_io.h"
#include "neurontune/pipeline/run.h"
#include "output.h"
#include "page_flags.h"
#include "progress_bar.h"
#include "setting_options.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

/// Says that results which are there will be replaced.
void note_earlier_result(const std::filesystem::path& out, Log& log) {
  if (entry_exists(out / "result.json"))
    log.note(out.string() + " holds the result of an earlier run, which this one replaces");
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
    add_report_flag(command, page);
    add_images_flag(command, page);
    add_vocabulary_option(command, page);
    put(command.add_flag("--exit-code", exit_code,
                         "Exit with 4 if ERM's head was kept, since no repair was better."),
        group::kOutput);
  }

  void execute() const {
    const auto config = settings.resolve();
    print_warnings(settings.warnings(config), output);
    note_earlier_result(out, output.log);
    const auto outcome = [&] {
      ProgressBar progress(output.log);
      return run(config, out, progress.callback(), output.log.callback(), page);
    }();
    print_warnings(outcome.report.warnings, output);
    if (output.json)
      std::cout << json_text(outcome.report) << '\n';
    else
      std::cout << closing_message(outcome, out, rows(outcome.report), output.screen());
    const bool kept = outcome.report.result.settings().source == Source::erm;
    if (exit_code && kept) throw Ended{kErmHeadKept};
  }

  static NamedMetrics rows(const RunReport& report) {
    const auto split = shown_split(report);
    return {{"ERM", report.erm.at(split)}, {"NeuronTune", report.tuned.at(split)}};
  }

  SettingOptions settings;
  OutputOptions output;
  std::string out;
  PageOptions page;
  bool exit_code = false;
};

}  // namespace

void add_run(CLI::App& app, Log& log) {
  add_subcommand<RunCommand>(app, log, "run", "Repair a model: identify, retrain, select, export");
}

}  // namespace neurontune::cli
