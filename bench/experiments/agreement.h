#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>

#include "neurontune/method/spuriousness.h"

namespace neurontune::experiments {

/// Scores of the dimensions, and those they flag.
struct Flags {
  SpuriousnessScores scores;
  BiasedDimensions biased;
};

/// Flags the dimensions that go with mistakes, whoever made the predictions.
/// @throws Error as `biased_dimensions` does
Flags flag(const at::Tensor& embeddings, const at::Tensor& labels, const at::Tensor& predictions,
           int64_t classes, const IdentificationOptions& options);

/// How much two identifications agree: `biased` of the first, `jaccard` |A ∩ B| / |A ∪ B| of what
/// they flag (null where neither flags any), `chance_jaccard`, what as many flags at random would
/// have, and `rank_correlation`, Spearman's, of the aggregated scores.
nlohmann::ordered_json agreement_json(const Flags& flags, const Flags& reference,
                                      Aggregate aggregate);

}  // namespace neurontune::experiments
