#pragma once

#include <ATen/ATen.h>

#include "neurontune/method/spuriousness.h"

namespace neurontune {

/// The median of each column over some rows, by sorting them; of an even count the mean of the
/// middle two. At least one row.
inline at::Tensor straight_medians(const at::Tensor& embeddings, const at::Tensor& rows,
                                   Activation activation) {
  const bool is_double = embeddings.scalar_type() == at::kDouble;
  auto values = embeddings.index_select(0, rows).to(is_double ? at::kDouble : at::kFloat);
  if (activation == Activation::magnitude) values = values.abs();
  const auto sorted = std::get<0>(values.sort(0));
  const int64_t n = rows.size(0);
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

}  // namespace neurontune
