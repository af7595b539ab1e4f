#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

namespace neurontune {

/// Checks class indices: int64 [samples], in 0…classes−1. `what` names them in messages.
/// @throws Error naming the first offending row
void check_class_indices(const at::Tensor& indices, const std::string& what, int64_t classes,
                         int64_t samples);

/// Checks embeddings [N, M] with N, M ≥ 1 and their labels; `split` names the data in messages.
void check_labelled(const at::Tensor& embeddings, const at::Tensor& labels, int64_t classes,
                    const std::string& split);

/// A value that is not finite, and where it is in a matrix.
struct NotFinite {
  int64_t row = 0, column = 0;
  double value = 0;
};

/// The first of a floating matrix, row by row, if there is one; in blocks of rows, since the matrix
/// may be larger than the memory.
std::optional<NotFinite> first_not_finite(const at::Tensor& matrix);

/// Checks that no embedding is infinite or NaN.
/// @throws Error naming the first row and dimension that is
void check_finite(const at::Tensor& embeddings, const std::string& split);

}  // namespace neurontune
