#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// The dtype that floating-point values are computed in: float64 where they are that, else float32.
inline at::ScalarType computing_type(const at::Tensor& values) {
  return values.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace neurontune
