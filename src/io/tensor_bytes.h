#pragma once

#include <c10/util/ArrayRef.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

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

}  // namespace neurontune
