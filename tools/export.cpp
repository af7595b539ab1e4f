#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <system_error>

#include "io/file_io.h"
#include "model_options.h"
#include "neurontune/base/error.h"
#include "neurontune/data/embeddings.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct ExportCommand {
  ModelOptions model;
  std::string head, out;
  bool force = false;

  explicit ExportCommand(CLI::App& command) : model(command, "--head-name") {
    command.add_option("--head", head, "head file: weight [C, M] and bias [C]")
        ->required()
        ->option_text("FILE");
    command.add_option("--out", out, "the model to write")->required()->option_text("MODEL2");
    command.add_flag("--force", force, "overwrite MODEL2 where it exists");
  }

  /// Neither what is read nor, unasked, what is there.
  void check_out() const {
    std::error_code none;
    for (const auto& input : {model.config.model.path, head})
      if (std::filesystem::equivalent(input, out, none))
        throw OptionError("--out is " + out + ", which is read; expected another file");
    if (!force && entry_exists(out)) throw Error(out + ": exists; --force overwrites it");
  }

  void execute() const {
    check_out();
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
