#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// What a classifier says of each sample.
struct NEURONTUNE_EXPORT ClassPredictions {
  at::Tensor classes;      ///< int64 [N]: the class of the largest logit; of equal ones the lowest
  at::Tensor probability;  ///< float64 [N]: the softmax of that logit
  at::Tensor margin;       ///< float64 [N]: logit 1 less logit 0; undefined unless there are two

  /// @param indices int64 [n], on the CPU
  ClassPredictions rows(const at::Tensor& indices) const;
};

/// @param logits floating point [N, C], on any device
/// @return on the CPU
/// @throws Error if there are no logits
NEURONTUNE_EXPORT ClassPredictions class_predictions(const at::Tensor& logits);

/// Those of batches of the same classifier, one after the other.
/// @param batches at least one
NEURONTUNE_EXPORT ClassPredictions joined(const std::vector<ClassPredictions>& batches);

}  // namespace neurontune
