#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace neurontune {

/// Unsigned integers as int64, from a tensor of the signed type of the same bits.
/// @param mask the bits that count: 0xffff of 16
/// @throws Error (without what it is of) if one is over the largest int64
at::Tensor as_unsigned(const at::Tensor& bits, int64_t mask);

}  // namespace neurontune
