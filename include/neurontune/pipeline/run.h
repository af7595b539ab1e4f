#pragma once

#include <filesystem>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/data/names.h"
#include "neurontune/export.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/pipeline/page_options.h"
#include "neurontune/report/run_report.h"

namespace neurontune {

/// A finished run.
struct RunOutcome {
  RunReport report;  ///< as result.json has it
  Names names;       ///< of the data's labels and attributes
};

/// The whole method from files to files: embeddings (from a model and data, or a folder),
/// identification, retraining, selection, and what `out` then holds: result.json,
/// head.safetensors, spuriousness.safetensors, trajectory.jsonl, config.json, MODEL_CARD.md,
/// report.html (the result as a page to read) and report.json (what that shows besides), and from a
/// model model.pt and embeddings/. Results appear by rename, result.json last.
///
/// Group labels, where the data has them, reach the metrics only.
///
/// @throws OptionError if the config names neither or both of model + data and embeddings, or `out`
///         is the folder of the embeddings
/// @throws Error for files, data and models that are not as they should be
NEURONTUNE_EXPORT RunOutcome run(const Config& config, const std::filesystem::path& out,
                                 const ProgressFn& progress = {}, const LogFn& log = {},
                                 const PageOptions& page = {});

}  // namespace neurontune
