#pragma once

#include <string>

#include "neurontune/data/names.h"
#include "neurontune/report/run_report.h"

namespace neurontune {

/// What a card says of a run beside its report.
struct CardSource {
  std::string model;     ///< its name; of stored embeddings theirs
  std::string data;      ///< the data set's name
  std::string identify;  ///< the split that biased dimensions were found on
  std::string tune;      ///< the split that the head was retrained on
  Names names;           ///< of labels and attributes
};

/// MODEL_CARD.md: front matter in YAML with the metrics as Hugging Face's model-index, then the
/// accuracies before and after, what was done, the data, the method and its limits. The same for
/// the same report.
std::string model_card(const RunReport& report, const CardSource& source);

}  // namespace neurontune
