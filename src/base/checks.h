#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace neurontune {

/// Checks class indices: int64 [samples], in 0…classes−1. `what` names them in messages.
/// @throws Error naming the first offending row
void check_class_indices(const at::Tensor& indices, const std::string& what, int64_t classes,
                         int64_t samples);

/// Checks embeddings [N, M] with N, M ≥ 1 and their labels; `split` names the data in messages.
void check_labelled(const at::Tensor& embeddings, const at::Tensor& labels, int64_t classes,
                    const std::string& split);

/// Checks that no embedding is infinite or NaN, in blocks of rows.
/// @throws Error naming the first row and dimension that is
void check_finite(const at::Tensor& embeddings, const std::string& split);

}  // namespace neurontune
