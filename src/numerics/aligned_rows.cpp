#include "numerics/aligned_rows.h"

#include <ATen/ATen.h>

#include <cstdint>

namespace neurontune {
namespace {

constexpr uintptr_t kAlignment = 64;

}  // namespace

at::Tensor aligned_rows(const at::Tensor& matrix) {
  if (!matrix.is_cpu()) return matrix;
  const auto address = reinterpret_cast<uintptr_t>(matrix.const_data_ptr());
  if (matrix.is_contiguous() && address % kAlignment == 0) return matrix;
  return matrix.clone(at::MemoryFormat::Contiguous);
}

}  // namespace neurontune
