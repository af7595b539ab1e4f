#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// The numbers of a step of SGD.
struct SgdRates {
  double learning_rate = 0;  ///< η
  double momentum = 0;       ///< μ
  double weight_decay = 0;   ///< λ
};

/// One step of SGD with momentum, as torch.optim.SGD takes it, in place: v ← μ v + m ∘ g + λ p
/// where m ≠ 0, p ← p − η v. On the CPU in one pass.
///
/// @param parameter [R, M] or [R], floating
/// @param velocity  v, of the parameter's shape and dtype
/// @param gradient  g, likewise
/// @param mask      m, [1, M] or [R, M], of the dtype, or undefined for 1 everywhere
void sgd_step(at::Tensor parameter, at::Tensor velocity, const at::Tensor& gradient,
              const at::Tensor& mask, const SgdRates& rates);

}  // namespace neurontune
