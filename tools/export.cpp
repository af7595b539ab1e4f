#include <CLI/CLI.hpp>
#include <filesystem>
#include <system_error>

#include "add_subcommand.h"
#include "base/log_message.h"
#include "help.h"
#include "io/file_io.h"
#include "model_options.h"
#include "neurontune/base/error.h"
#include "neurontune/data/embeddings.h"
#include "pipeline/image_input.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct ExportCommand {
  ModelOptions model;
  std::string head, out;
  bool force = false;

  ExportCommand(CLI::App& command, Log& log) : model(command, "--head-name", log) {
    put(command.add_option("--head", head,
                           "File of the head: weight [classes, dimensions] and bias [classes]."),
        group::kModel, "FILE")
        ->required();
    put(command.add_option("--out", out, "The model to write."), group::kOutput, "MODEL2")
        ->required();
    put(command.add_flag("--force", force, "Overwrite MODEL2 if it exists."), group::kOutput);
  }

  /// Overwrites no input, and an existing file only with --force.
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
    log_debug(model.log.callback(), "head: ", sized(head));
    split.save_with_head(read_head(head, split.head()), out);
    model.log.note("wrote " + out + ": " + model.config.model.path + " with the head of " + head);
    copy_transform();
  }

  /// How images become the model's input goes with it, unless its new folder says otherwise.
  void copy_transform() const {
    const auto from = transform_beside(model.config.model.path), to = transform_beside(out);
    std::error_code none;
    if (!std::filesystem::is_regular_file(from, none)) return;
    const auto text = read_file(from);
    if (!entry_exists(to)) {
      write_file(to, text);
      log_info(model.log.callback(), "wrote ", to.string(), ", as ", from.string());
    } else if (read_file(to) != text) {
      model.log.write(LogLevel::warn, to.string() + " differs from " + from.string() +
                                          " and stays as it is: " + out +
                                          " will be given images that are preprocessed otherwise");
    }
  }
};

}  // namespace

void add_export(CLI::App& app, Log& log) {
  add_subcommand<ExportCommand>(app, log, "export", "Put a tuned head back into a model");
}

}  // namespace neurontune::cli
