#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// aᵀ b for [N, K] and [N, M] of one floating dtype, summed in float64: [K, M]. The same bits
/// whatever the number of threads.
at::Tensor cross_product(const at::Tensor& a, const at::Tensor& b);

/// aᵀ a, as cross_product(a, a) has it but for rounding, in half the time.
at::Tensor gram(const at::Tensor& a);

}  // namespace neurontune
