#pragma once

#include <ATen/core/Tensor.h>

#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// A split whose groups are known: what an oracle sees, and NeuronTune never does.
struct GroupedEmbeddings {
  LabelledEmbeddings data;  ///< without the attributes
  at::Tensor attributes;    ///< int64 [N], in 0…A−1, on the embeddings' device
};

}  // namespace neurontune
