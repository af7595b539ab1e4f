#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "add_subcommand.h"
#include "help.h"
#include "io/json_text.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/extract.h"
#include "neurontune/pipeline/open_model.h"
#include "output.h"
#include "pipeline/embedding_output.h"
#include "pipeline/image_input.h"
#include "progress_bar.h"
#include "setting_options.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct EmbedCommand {
  EmbedCommand(CLI::App& command, Log& log)
      : settings(command, log, {SettingGroup::model, SettingGroup::head, SettingGroup::machine}),
        output(command, log) {
    command.get_option("--model")->required();
    command.get_option("--data")->required();
    put(command.add_option("--out", out, "Folder for the embeddings and the head."), group::kOutput,
        "DIR")
        ->required();
  }

  void execute() const {
    const auto config = settings.resolve();
    check_embedding_output(out, config.data.path);
    auto model = open_model(config, output.log.callback());
    const auto data = open_configured_data(config, output.log.callback());
    const auto extraction = [&] {
      ProgressBar progress(output.log);
      return with_size_advice(model, data, config, [&] {
        return extract_embeddings(model, data, config.data.extraction, out, progress.callback(),
                                  output.log.callback());
      });
    }();
    print_warnings(data.warnings, output);
    print_warnings(enlargement_warnings(model, data, config), output);
    print_warnings(class_warnings(data, model.head().classes()), output);
    output.json ? print_json(extraction) : print(extraction);
  }

  static void print_json(const Extraction& extraction) {
    nlohmann::ordered_json json;
    for (const auto& [name, split] : extraction.splits)
      json[name] = {
          {"samples", split.samples}, {"seconds", split.seconds}, {"reused", split.reused}};
    for (const auto& [name, split] : extraction.splits)
      for (const auto& [sample, reason] : split.skipped)
        json[name]["skipped"].push_back({{"sample", sample}, {"reason", reason}});
    std::cout << json_text(json) << '\n';
  }

  static void print(const Extraction& extraction) {
    for (const auto& [name, split] : extraction.splits)
      std::cout << name << ": " << split.samples << " samples" << (split.reused ? ", reused" : "")
                << (split.skipped.empty()
                        ? ""
                        : ", " + std::to_string(split.skipped.size()) + " skipped")
                << '\n';
  }

  SettingOptions settings;
  OutputOptions output;
  std::string out;
};

}  // namespace

void add_embed(CLI::App& app, Log& log) {
  add_subcommand<EmbedCommand>(app, log, "embed",
                               "Write the embeddings of a data set, and the head");
}

}  // namespace neurontune::cli
