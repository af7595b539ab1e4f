#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// Embeddings and their labels: all the method ever sees of a split.
struct LabelledEmbeddings {
  at::Tensor embeddings;  ///< floating point [N, M]
  at::Tensor labels;      ///< int64 [N], in 0…C−1, on the same device
};

}  // namespace neurontune
