#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace neurontune {

/// The values of a tensor of any shape, device and dtype, row by row, converted to one type.
template <typename Value>
std::vector<Value> values_of(const at::Tensor& tensor) {
  const auto host = tensor.to(at::kCPU, c10::CppTypeToScalarType<Value>::value).contiguous();
  const auto* const first = host.template const_data_ptr<Value>();
  return {first, first + host.numel()};
}

}  // namespace neurontune
