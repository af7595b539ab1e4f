#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// Embeddings and their labels: all the method ever sees of a split.
struct LabelledEmbeddings {
  at::Tensor embeddings;  ///< floating point [N, M]
  at::Tensor labels;      ///< int64 [N], in 0…C−1, on the same device
  /// Whether the embeddings were searched for NaN and infinity already. Only where this is false
  /// does a method search them; true for data that has such values leaves its result undefined.
  bool known_finite = false;
};

}  // namespace neurontune
