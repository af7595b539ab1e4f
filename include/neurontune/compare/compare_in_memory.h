#pragma once

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/compare/compare.h"
#include "neurontune/compare/comparison_report.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/export.h"

namespace neurontune {

/// What `compare` does between its files, where the tensors are.
///
/// @param data its splits all on one device; one of them is called test
/// @throws Error as `compare` does
NEURONTUNE_EXPORT ComparisonReport compare_in_memory(const CompareOptions& options,
                                                     const EmbeddingFolder& data,
                                                     const ProgressFn& progress = {},
                                                     const LogFn& log = {});

}  // namespace neurontune
