#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace neurontune {

/// A float32 matrix of written-out rows.
inline at::Tensor matrix(const std::vector<std::vector<float>>& rows) {
  std::vector<at::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(at::tensor(row));
  return at::stack(tensors);
}

/// An int64 vector of written-out values.
inline at::Tensor longs(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong);
}

/// An int64 matrix of written-out rows.
inline at::Tensor long_matrix(const std::vector<std::vector<int64_t>>& rows) {
  std::vector<at::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(longs(row));
  return at::stack(tensors);
}

}  // namespace neurontune
