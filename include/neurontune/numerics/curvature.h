#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "neurontune/export.h"

namespace neurontune {

/// κ: what p(1 − p) of a softmax is taken for.
inline constexpr double kSoftmaxSlope = 0.1;

/// An approximate Hessian of a softmax regression on samples, κ XᵀX / n + λ I: exact in the leading
/// eigenvectors of XᵀX, constant elsewhere. A minimiser takes few steps with it. Fits to much the
/// same samples may share one.
class NEURONTUNE_EXPORT Curvature {
 public:
  /// @param embeddings floating [N, M], scaled here; evenly spaced ones stand for all
  explicit Curvature(const at::Tensor& embeddings);

  /// (κ XᵀX / n + λ I)⁻¹ times vectors. @param vectors float64 [C, M]
  at::Tensor solve(const at::Tensor& vectors, double penalty) const;

 private:
  struct Spectrum;
  std::shared_ptr<const Spectrum> spectrum_;
};

}  // namespace neurontune
