#include <CLI/CLI.hpp>
#include <memory>

#include "neurontune/data/embeddings.h"
#include "neurontune/model/erm_model.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct ExportCommand {
  std::string model, head, out;

  explicit ExportCommand(CLI::App& command) {
    command.add_option("MODEL", model, "TorchScript classifier")->required();
    command.add_option("--head", head, "head file: weight [C, M] and bias [C]")
        ->required()
        ->option_text("FILE");
    command.add_option("--out", out, "the model to write")->required()->option_text("MODEL2");
  }

  void execute() const { ErmModel::load(model).save_with_head(read_head(head), out); }
};

}  // namespace

void add_export(CLI::App& app) {
  auto* command = app.add_subcommand("export", "Put a tuned head back into a model");
  auto exporting = std::make_shared<ExportCommand>(*command);
  command->callback([exporting] { exporting->execute(); });
}

}  // namespace neurontune::cli
