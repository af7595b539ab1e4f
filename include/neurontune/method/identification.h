#pragma once

#include <optional>
#include <string>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

/// What a head's mistakes on held-out data say about the embedding's dimensions.
struct Identification {
  SpuriousnessScores scores;          ///< of each class and dimension
  BiasedDimensions biased;            ///< those that are flagged
  std::optional<MistakeTest> test;    ///< both nulls; none where no significance is asked for
  std::optional<double> sfit;         ///< of the scores; none where no class is usable
  AccuracyMetrics accuracy;           ///< of the head, on the same data
  std::vector<std::string> warnings;  ///< what a user should know, one sentence each
};

/// Scores every dimension under the head's predictions and flags the biased ones.
///
/// @param held_out data the head was not trained on, on any device
/// @param head     [C, M], on the same device
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, no class is
///         usable, or every dimension is flagged and the mask value is 0
NEURONTUNE_EXPORT Identification identify(const LabelledEmbeddings& held_out, const Head& head,
                                          const IdentificationOptions& options);

}  // namespace neurontune
