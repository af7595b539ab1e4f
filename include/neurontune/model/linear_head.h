#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace neurontune {

/// The last linear layer of a classifier: logits = weight · z + bias.
struct LinearHead {
  at::Tensor weight;  ///< floating point [C, M]
  at::Tensor bias;    ///< floating point [C]; undefined where the layer has none

  int64_t classes() const { return weight.size(0); }        ///< C
  int64_t embedding_dim() const { return weight.size(1); }  ///< M
};

/// Checks shapes and dtypes; `name` is what the head is called in messages.
/// @throws Error if weight is not floating [C, M] with C, M ≥ 1 or bias is neither undefined nor [C]
void check_head(const LinearHead& head, const std::string& name);

/// A copy on `device` in `dtype`, detached from any autograd graph.
LinearHead to(const LinearHead& head, at::Device device, at::ScalarType dtype);

/// The head's logits, computed in the head's dtype over fixed blocks of rows, so that the bits do
/// not depend on the number of threads.
///
/// @param embeddings floating point [N, M], on the head's device
/// @return [N, C] in the head's dtype
at::Tensor logits(const LinearHead& head, const at::Tensor& embeddings);

/// argmax of `logits`: int64 [N]; ties go to the lowest class.
at::Tensor predictions(const LinearHead& head, const at::Tensor& embeddings);

}  // namespace neurontune
