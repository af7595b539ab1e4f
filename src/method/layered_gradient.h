#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "neurontune/core/head.h"

namespace neurontune {

/// A loss's gradient by the parameters of a head.
struct HeadGradient {
  at::Tensor weight;
  at::Tensor bias;  ///< undefined where the head has none
  std::vector<at::Tensor> later;
};

/// By autograd, for heads of several layers: the gradient of the mean cross-entropy of a batch.
/// Rows are worked on in fixed blocks and added up in order, so that the bits do not depend on the
/// number of threads.
///
/// @param inputs     [B, M] in the head's dtype
/// @param labels     int64 [B]
/// @param row_losses [B]: set to each row's loss
HeadGradient layered_gradient(const Head& head, const at::Tensor& inputs, const at::Tensor& labels,
                              at::Tensor row_losses);

}  // namespace neurontune
