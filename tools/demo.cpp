#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "add_subcommand.h"
#include "closing_message.h"
#include "demo/dominoes.h"
#include "demo/small_cnn.h"
#include "help.h"
#include "io/file_io.h"
#include "io/folder_mark.h"
#include "io/output_folder.h"
#include "neurontune/base/error.h"
#include "neurontune/data/dataset.h"
#include "neurontune/pipeline/run.h"
#include "output.h"
#include "page_flags.h"
#include "progress_bar.h"
#include "setting_options.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

constexpr const char* kPaperRecipe = "paper";
constexpr const char* kModel = "erm.pt";

/// Does a step, and says on stderr how long it took.
template <typename Work>
auto timed(const std::string& step, const OutputOptions& output, Work work) {
  const auto start = std::chrono::steady_clock::now();
  ProgressBar progress(output.log);
  auto result = work(progress.callback());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  progress.clear();
  char text[32];
  std::snprintf(text, sizeof text, "%6.1f s  ", taken.count());
  if (output.log.shows_progress()) std::cerr << text << step << '\n';
  log_debug(output.log.callback(), step, ": ", taken.count(), " s");
  return result;
}

struct DemoCommand {
  DemoCommand(CLI::App& command, Log& log)
      : settings(command, log,
                 {SettingGroup::identification, SettingGroup::tuning, SettingGroup::machine}),
        output(command, log) {
    put(command.add_option("--out", out, "Folder for the data, the model and the result."),
        group::kOutput, "DIR")
        ->required();
    put(command.add_option("--fashion-mnist", fashion_mnist,
                           "Folder of Fashion-MNIST, the photographs the data set is made of."),
        group::kImages, "DIR [" + fashion_mnist + "]");
    add_report_flag(command, page);
    add_images_flag(command, page);
  }

  void execute() const {
    demo::DominoesOptions options;
    const auto own = settings.resolve();
    print_warnings(settings.warnings(own), output);
    options.seed = own.seed;
    OutputFolder top(out, {kModel});
    timed("data: dominoes of real photographs", output, [&](const ProgressFn&) {
      write_data(options);
      return 0;
    });
    const auto config = settings.resolve({{"--model", "model.path", (folder() / kModel).string()},
                                          {"--data", "data.path", (folder() / "data").string()}});
    timed("ERM: a small CNN trained the ordinary way", output, [&](const ProgressFn& progress) {
      top.begin({kModel});
      train_erm(config, progress);
      top.finish({kModel});
      return 0;
    });
    const auto outcome = tune(config, "result");
    NamedMetrics rows = {{"ERM", outcome.report.erm.at("test")},
                         {"NeuronTune (" + config.recipe + ")", outcome.report.tuned.at("test")}};
    auto warnings = outcome.report.warnings;
    if (config.recipe != kPaperRecipe)
      add_paper(with_settings(config, {{"demo", "recipe", kPaperRecipe}}), rows, warnings);

    print_warnings(warnings, output);
    if (output.json)
      std::cout << json_text(outcome.report) << '\n';
    else
      std::cout << '\n' << closing_message(outcome, folder() / "result", rows, output.screen());
  }

  std::filesystem::path folder() const { return out; }

  /// DIR/data, unless somebody else's files lie there.
  void write_data(const demo::DominoesOptions& options) const {
    const auto data = folder() / "data";
    std::error_code none;
    if (std::filesystem::exists(data, none) && !is_marked(data) &&
        !std::filesystem::is_empty(data, none))
      throw Error(data.string() + ": was not written by neurontune; choose another folder");
    const std::vector<std::string> files = {"metadata.csv", "names.json", "transform.json"};
    OutputFolder written(data, files);
    written.begin(files);
    demo::write_dominoes(data, options, fashion_mnist);
    written.finish(files);
  }

  void train_erm(const Config& config, const ProgressFn& progress) const {
    const auto data = open_data(folder() / "data", config.data.transform);
    demo::ErmTrainingOptions options;
    options.seed = config.seed;
    const auto classes = static_cast<int64_t>(data.names.labels.size());
    demo::train_small_cnn(data.split("train"), classes, options, folder() / kModel, progress);
  }

  /// The paper's recipe beside the other, where it has a result: without mistakes it has none.
  void add_paper(const Config& config, NamedMetrics& rows,
                 std::vector<std::string>& warnings) const {
    try {
      rows.emplace_back("NeuronTune (paper)", tune(config, "paper").report.tuned.at("test"));
    } catch (const Error& error) {
      warnings.push_back(std::string("recipe paper could not be run: ") + error.what());
    }
  }

  RunOutcome tune(const Config& config, const char* result) const {
    return timed("NeuronTune, recipe " + config.recipe, output, [&](const ProgressFn& progress) {
      return run(config, folder() / result, progress, output.log.callback(), page);
    });
  }

  SettingOptions settings;
  OutputOptions output;
  std::string out;
  PageOptions page;
  std::string fashion_mnist = demo::kFashionMnistFolder;
};

}  // namespace

void add_demo(CLI::App& app, Log& log) {
  add_subcommand<DemoCommand>(
      app, log, "demo",
      "Make a biased data set of real photographs, train a model on it and repair it");
}

}  // namespace neurontune::cli
