#pragma once

#include <optional>

#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/model/head.h"

namespace neurontune {

/// The biased dimensions, and the test they passed where significance is asked for.
struct Flags {
  BiasedDimensions biased;
  std::optional<MistakeTest> test;
};

/// Flags from the head's scores on the held-out data: the part of `identify` after the scoring.
Flags flag(const LabelledEmbeddings& held_out, const Head& head, const SpuriousnessScores& scores,
           const IdentificationOptions& options);

}  // namespace neurontune
