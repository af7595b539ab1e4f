#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/model/erm_model.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/pipeline/extract.h"
#include "pipeline/step_clock.h"

namespace neurontune {

/// The embeddings that a config names.
struct OpenedEmbeddings {
  EmbeddingFolder folder;
  std::optional<ErmModel> model;         ///< where they come from one
  std::optional<Extraction> extraction;  ///< likewise
  std::vector<std::string> warnings;     ///< of the data or the folder, one sentence each
  std::optional<DataFolder> data;        ///< that they were extracted from
};

/// Opens `config.embeddings`, or extracts those of `config.model` on `config.data` into
/// OUT/embeddings, where they are found again.
///
/// They are on the device of `config.device`.
///
/// @param splits names that must be there: looked for before extraction, which may take hours
/// @throws OptionError if the config names neither or both of model + data and embeddings
/// @throws Error for files, data and models that are not as they should be
OpenedEmbeddings open_embeddings(const Config& config, const std::vector<std::string>& splits,
                                 const std::filesystem::path& out, StepClock& clock,
                                 const ProgressFn& progress, const LogFn& log = {});

/// What a user should know of embeddings: of their files, then of their classes.
std::vector<std::string> warnings_of(const EmbeddingFolder& folder);

/// A split as the method takes it, where its embeddings are. A head is trained in float32 whatever
/// the model's dtype: there is no use for float64 here.
LabelledEmbeddings labelled(const EmbeddingSplit& split);

}  // namespace neurontune
