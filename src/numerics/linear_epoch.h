#pragma once

#include <ATen/core/Tensor.h>

#include "numerics/sgd_step.h"

namespace neurontune {

/// A linear head in training on the CPU: logits are (W ∘ m) z + b. What is trained is changed in
/// place.
struct LinearTraining {
  at::Tensor inputs;           ///< [N, M], floating, each row contiguous
  at::Tensor labels;           ///< int64 [N]
  at::Tensor mask;             ///< m, [1, M] or [C, M]; undefined for 1 everywhere
  at::Tensor weight;           ///< W, [C, M], float32, or float64 where the inputs are
  at::Tensor weight_velocity;  ///< [C, M]
  at::Tensor bias;             ///< b, [C], or undefined
  at::Tensor bias_velocity;    ///< [C]
};

/// Up to that many classes `run_linear_epoch` beats matrix products, which HeadRetrainer takes
/// above. It is the one kernel here that buys speed with length: without it recipe `paper` takes
/// 2.3 times the processor time, and `robust` 1.8 times (docs/performance.md).
constexpr int64_t kLinearEpochClasses = 16;

/// Steps of SGD with momentum, as torch.optim.SGD takes them, on the mean cross-entropy of each
/// batch: with P the softmax of the logits and Y the one-hot labels, dL/dlogits = (P − Y) / B, so
/// dL/dW = m ∘ ((P − Y) / B)ᵀ Z, and dL/db its sum over the batch.
///
/// Each thread has columns of its own, so that a batch is read from memory once and waited for
/// once. Nothing depends on the number of threads.
///
/// @param batches int64 [batches, B]: rows of the inputs
/// @param losses  [batches, B], of W's dtype: written, the cross-entropy of each sample
void run_linear_epoch(LinearTraining& head, const at::Tensor& batches, const SgdRates& rates,
                      const at::Tensor& losses);

}  // namespace neurontune
