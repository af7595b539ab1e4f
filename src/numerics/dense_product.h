#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// A matrix product in the inputs' dtype: L Rᵀ. Of float32 on the CPU it is oneDNN's where LibTorch
/// has it, whose kernels use wider registers than those behind `mm` on processors that have them.
///
/// @param left  L, floating [N, K]
/// @param right R, [C, K]
at::Tensor product_with_transpose(const at::Tensor& left, const at::Tensor& right);

}  // namespace neurontune
