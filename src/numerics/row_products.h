#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// inputs [n, M] times the transpose of `matrix` [C, M], both float32 or both float64: [n, C]. For
/// some rows that stay in cache, and on one thread where they are on the CPU; few classes at the
/// speed of memory, where a matrix product is not.
at::Tensor row_products(const at::Tensor& inputs, const at::Tensor& matrix);

/// factorsᵀ [C, n] times inputs [n, M], in the same way: [C, M]. The factors are of the inputs'
/// dtype.
at::Tensor weighted_row_sums(const at::Tensor& factors, const at::Tensor& inputs);

}  // namespace neurontune
