#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>
#include <memory>

namespace neurontune {

/// A contiguous copy that begins `bytes` after a multiple of 64, as in a mapped file it may.
inline at::Tensor misaligned(const at::Tensor& tensor, int64_t bytes) {
  const auto values = tensor.contiguous();
  const auto size = static_cast<int64_t>(values.nbytes());
  const auto memory = at::empty({size + 64}, at::kByte);  // LibTorch aligns to 64
  auto* const start = memory.mutable_data_ptr<uint8_t>() + bytes;
  std::memcpy(start, values.const_data_ptr(), static_cast<std::size_t>(size));
  return at::from_blob(
      start, values.sizes(), [memory](void*) {}, values.options());
}

}  // namespace neurontune
