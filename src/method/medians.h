#pragma once

#include <ATen/core/Tensor.h>

#include "neurontune/method/spuriousness.h"

namespace neurontune {

/// The median of each column over some rows; of an even count the mean of the middle two.
///
/// @param embeddings floating point [N, M]
/// @param rows       int64 [n], n ≥ 1, on the same device
/// @return [M] in float32, or float64 where the embeddings are
/// @throws Error if a value is NaN
at::Tensor column_medians(const at::Tensor& embeddings, const at::Tensor& rows,
                          Activation activation);

}  // namespace neurontune
