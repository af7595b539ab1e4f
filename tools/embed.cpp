#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "io/json_text.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/extract.h"
#include "neurontune/pipeline/open_model.h"
#include "output.h"
#include "pipeline/embedding_output.h"
#include "progress_bar.h"
#include "setting_options.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct EmbedCommand {
  explicit EmbedCommand(CLI::App& command)
      : settings(command, {SettingGroup::model, SettingGroup::head, SettingGroup::machine}),
        output(command) {
    command.get_option("--model")->required();
    command.get_option("--data")->required();
    command.add_option("--out", out, "folder for the embeddings")->required()->option_text("DIR");
  }

  void execute() const {
    const auto config = settings.resolve();
    check_embedding_output(out, config.data.path);
    auto model = open_model(config);
    const auto data = open_configured_data(config);
    const auto extraction = [&] {
      ProgressBar progress(output.quiet);
      return extract_embeddings(model, data, config.data.extraction, out, progress.callback());
    }();
    print_warnings(data.warnings, output);
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

void add_embed(CLI::App& app) {
  auto* command = app.add_subcommand("embed", "Write the embeddings of a data set, and the head");
  auto embed = std::make_shared<EmbedCommand>(*command);
  command->callback([embed] { embed->execute(); });
}

}  // namespace neurontune::cli
