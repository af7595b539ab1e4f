#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace neurontune {

/// The bytes of a tensor of this shape, or nothing where the number or a stride would overflow.
inline std::optional<uint64_t> tensor_bytes(c10::IntArrayRef shape, uint64_t item_size) {
  uint64_t bytes = item_size;
  bool empty = false;
  for (const int64_t size : shape) {
    if (size == 0) empty = true;
    const auto factor = static_cast<uint64_t>(std::max<int64_t>(size, 1));
    if (__builtin_mul_overflow(bytes, factor, &bytes)) return std::nullopt;
  }
  if (bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return empty ? 0 : bytes;
}

/// A tensor's numbers in row-major order as they lie in memory; of an undefined one none.
inline std::string bytes_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return "";
  const at::Tensor contiguous = tensor.contiguous();
  return {static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes()};
}

}  // namespace neurontune
