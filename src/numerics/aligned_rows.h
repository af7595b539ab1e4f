#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// The matrix [N, M] itself where its rows follow each other and begin at a multiple of 64 bytes,
/// as LibTorch's own memory does; else a copy that does. Elsewhere than on the CPU the matrix
/// itself.
///
/// Matrix products take other kernels, with other last bits, for operands that lie otherwise, as a
/// mapped file's may. Give them blocks of rows, never a whole split: a split may be larger than
/// memory.
at::Tensor aligned_rows(const at::Tensor& matrix);

}  // namespace neurontune
