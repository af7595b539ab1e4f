#include "pipeline/open_embeddings.h"

#include <ATen/ATen.h>

#include <utility>

#include "neurontune/base/error.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/open_model.h"
#include "pipeline/embedding_output.h"
#include "pipeline/image_input.h"

namespace neurontune {
namespace {

void check_sources(const Config& config) {
  const bool from_model = !config.model.path.empty() && !config.data.path.empty();
  const bool from_embeddings = !config.embeddings.path.empty();
  const bool any_model = !config.model.path.empty() || !config.data.path.empty();
  if (from_embeddings && any_model)
    throw OptionError(
        "embeddings.path is " + config.embeddings.path +
        " and a model or data is given too; pass either embeddings, or a model and data");
  if (!from_embeddings && !config.embeddings.arrays.empty())
    throw OptionError("embeddings.arrays is " + config.embeddings.arrays +
                      " without embeddings.path; expected both or neither");
  if (!from_embeddings && !from_model)
    throw OptionError("no data to run on; expected model.path and data.path, or embeddings.path");
}

void append(std::vector<std::string>& warnings, const std::vector<std::string>& more) {
  warnings.insert(warnings.end(), more.begin(), more.end());
}

}  // namespace

OpenedEmbeddings open_embeddings(const Config& config, const std::vector<std::string>& splits,
                                 const std::filesystem::path& out, StepClock& clock,
                                 const ProgressFn& progress, const LogFn& log) {
  check_sources(config);
  if (!config.embeddings.path.empty()) {
    OpenedEmbeddings opened{open_configured_embeddings(config, log), {}, {}, {}, {}};
    opened.warnings = warnings_of(opened.folder);
    for (const auto& split : splits) opened.folder.split(split);
    opened.folder.move_embeddings(resolve_device(config.device));
    clock.finish("load");
    return opened;
  }
  const auto folder = out / "embeddings";
  check_embedding_output(folder, config.data.path);
  auto model = open_model(config, log);
  auto data = open_configured_data(config, log);
  for (const auto& split : splits) data.split(split);
  auto extraction = with_size_advice(model, data, config, [&] {
    return extract_embeddings(model, data, config.data.extraction, folder, progress, log);
  });
  clock.finish("extract");
  auto opened = EmbeddingFolder::open(folder, model.head());
  opened.move_embeddings(resolve_device(config.device));
  clock.finish("load");
  auto warnings = data.warnings;
  append(warnings, class_warnings(opened));
  append(warnings, enlargement_warnings(model, data, config));
  return {std::move(opened), std::move(model), std::move(extraction), std::move(warnings),
          std::move(data)};
}

std::vector<std::string> warnings_of(const EmbeddingFolder& folder) {
  auto warnings = folder.warnings();
  append(warnings, class_warnings(folder));
  return warnings;
}

LabelledEmbeddings labelled(const EmbeddingSplit& split) {
  const auto labels = split.labels.to(split.embeddings.device());
  // The folder was searched for values that are not finite; rounding can make such.
  if (split.embeddings.scalar_type() == at::kDouble)
    return {split.embeddings.to(at::kFloat), labels};
  return {split.embeddings, labels, /*known_finite=*/true};
}

}  // namespace neurontune
