#include <CLI/CLI.hpp>
#include <memory>

#include "model_options.h"
#include "neurontune/data/embeddings.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct ExportCommand {
  ModelOptions model;
  std::string head, out;

  explicit ExportCommand(CLI::App& command) : model(command, "--head-name") {
    command.add_option("--head", head, "head file: weight [C, M] and bias [C]")
        ->required()
        ->option_text("FILE");
    command.add_option("--out", out, "the model to write")->required()->option_text("MODEL2");
  }

  void execute() const {
    const auto split = model.load();
    split.save_with_head(read_head(head, split.head()), out);
  }
};

}  // namespace

void add_export(CLI::App& app) {
  auto* command = app.add_subcommand("export", "Put a tuned head back into a model");
  auto exporting = std::make_shared<ExportCommand>(*command);
  command->callback([exporting] { exporting->execute(); });
}

}  // namespace neurontune::cli
