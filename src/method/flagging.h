#pragma once

#include <optional>

#include "method/ranked_split.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/method/identification.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/spuriousness.h"

namespace neurontune {

/// The biased dimensions, and the test they passed where significance is asked for.
struct Flags {
  BiasedDimensions biased;
  std::optional<MistakeTest> test;
};

/// Flags from the head's scores on the held-out data.
Flags flag(const LabelledEmbeddings& held_out, const RankedSplit& ranked, const Head& head,
           const SpuriousnessScores& scores, const IdentificationOptions& options);

/// `identify` in two parts: what the head's predictions say, without flags and test; then these.
Identification judge(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                     const Head& head);
void add_flags(const LabelledEmbeddings& held_out, const RankedSplit& ranked, const Head& head,
               const IdentificationOptions& options, Identification& result);

/// What the head's predictions say where no dimension is to be flagged, the test included.
Identification identify_nothing(const LabelledEmbeddings& held_out, const Head& head,
                                const IdentificationOptions& options);

/// The settings of the test, as far as the options have them.
MistakeTestOptions test_options(const IdentificationOptions& options);

/// The test that the options ask for, if they do.
std::optional<MistakeTest> asked_test(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                                      const Head& head, const IdentificationOptions& options);

/// As the public `identify` and `test_mistakes`, of checked data that is ranked already, by the
/// options' activation.
Identification identify(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                        const Head& head, const IdentificationOptions& options);
MistakeTest test_mistakes(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                          const Head& erm, const MistakeTestOptions& options);

}  // namespace neurontune
