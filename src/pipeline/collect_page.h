#pragma once

#include "neurontune/data/dataset.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/report/run_report.h"
#include "report/page_data.h"

namespace neurontune {

/// Gathers what the page of a finished run shows: the identification split's samples and
/// activations under the ERM head, and the true figures of epochs.
///
/// @param data that the embeddings were extracted from, for images; null for none
PageData collect_page(const Config& config, const EmbeddingFolder& folder, const RunReport& report,
                      const DataFolder* data);

}  // namespace neurontune
