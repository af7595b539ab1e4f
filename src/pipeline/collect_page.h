#pragma once

#include <optional>

#include "data/vocabulary.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/report/run_report.h"
#include "report/page_data.h"

namespace neurontune {

/// What a page can show of samples besides their names.
struct PageSource {
  const DataFolder* data = nullptr;      ///< that the embeddings were extracted from, if known
  bool images = true;                    ///< whether its images are shown
  std::optional<Vocabulary> vocabulary;  ///< of its tokens: they are shown as text
};

/// Gathers what the page of a finished run shows: the identification split's samples and
/// activations under the ERM head, and the true figures of epochs.
///
PageData collect_page(const Config& config, const EmbeddingFolder& folder, const RunReport& report,
                      const PageSource& source);

}  // namespace neurontune
