#include "neurontune/pipeline/open_model.h"

#include <ATen/ATen.h>

#include <sstream>
#include <system_error>
#include <utility>

#include "base/describe.h"
#include "base/log_message.h"
#include "data/tensor_file.h"
#include "io/file_io.h"
#include "neurontune/data/manifest_format.h"
#include "pipeline/image_input.h"

namespace neurontune {
namespace {

void log_data(const DataFolder& data, const Config& config, const LogFn& log) {
  if (!log) return;
  const auto manifest = find_manifest(config.data.path, config.data.format);
  if (manifest)
    log_debug(log, "data: ", sized(manifest->path), ", format ", manifest->format.name);
  else
    log_debug(log, "data: tensors in ", config.data.path);
  for (const auto& split : data.splits)
    log_debug(log, "data: split ", split.name, ", ", split.dataset->size(), " samples");
}

void log_embeddings(const EmbeddingFolder& folder, const LogFn& log) {
  if (!log) return;
  for (const auto& [name, split] : folder.splits())
    if (const auto file = find_tensor_file(folder.path(), name))
      log_debug(log, "embeddings: ", sized(*file), ": ", describe(split.embeddings),
                split.attributes.defined() ? ", with attributes" : ", without attributes");
  const auto& head = folder.head();
  log_debug(log, "embeddings: head of ", head.embedding_dim(), " dimensions and ", head.classes(),
            " classes");
}

void log_model(const ErmModel& model, const Config& config, const LogFn& log) {
  if (!log) return;
  const auto head = model.head();
  const auto output = model.output_name();
  log_info(
      log, "model: split at ", model.head_name(), ", ", head.embedding_dim(), " → ", head.classes(),
      head.is_linear() ? "" : ", in several layers", ", ",
      config.model.head == "auto" ? "the last linear layer before the output" : "as asked for");
  if (!output.empty())
    log_debug(
        log, "model: the logits are its output ", output, ", ",
        config.model.output == "auto" ? "the one that comes from a linear layer" : "as asked for");
  for (const auto& input : model.inputs())
    log_debug(log, "model: input ", input.name, ", ", input.type,
              input.required ? "" : ", may be left out");
}

}  // namespace

DataFolder open_configured_data(const Config& config, const LogFn& log) {
  auto data = open_data(config.data.path, config.data.transform, config.data.format,
                        config.data.extraction.skip_bad ? BadImages::kept : BadImages::refused);
  log_data(data, config, log);
  for (auto& warning : transform_warnings(config)) data.warnings.push_back(std::move(warning));
  return data;
}

EmbeddingFolder open_configured_embeddings(const Config& config, const LogFn& log) {
  auto folder =
      EmbeddingFolder::open(config.embeddings.path, ArrayNames::parse(config.embeddings.arrays));
  log_embeddings(folder, log);
  return folder;
}

ErmModel open_model(const Config& config, const LogFn& log) {
  std::istringstream libraries(config.model.preload_lib);
  for (std::string library; std::getline(libraries, library, ',');) {
    if (library.empty()) continue;
    load_operators(library);
    log_debug(log, "model: loaded the operators of ", sized(library));
  }
  log_debug(log, "model: ", sized(config.model.path));
  auto model = ErmModel::load(config.model.path, resolve_device(config.device),
                              {config.model.head, config.model.output});
  log_model(model, config, log);
  return model;
}

}  // namespace neurontune
