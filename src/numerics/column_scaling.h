#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// Mean and population standard deviation of each column, float64 [M]. As in scikit-learn's
/// StandardScaler the deviation of a column that is constant, up to rounding, is 1; so is that of
/// one whose deviation is under `smallest_scale` of the embeddings' dtype.
struct ColumnScaling {
  at::Tensor mean, deviation;
  at::Tensor constant = {};  ///< bool [M]: whose deviation was replaced
};

/// The same bits whatever the number of threads.
/// @param embeddings floating point [N, M], on any device
ColumnScaling column_scaling(const at::Tensor& embeddings);

/// The embeddings [N, M], scaled to mean 0 and deviation 1, in float32, or float64 where they are.
at::Tensor scaled(const at::Tensor& embeddings, const ColumnScaling& scaling);

}  // namespace neurontune
