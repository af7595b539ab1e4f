#include "method/column_scaling.h"

#include <ATen/ATen.h>

#include <functional>
#include <limits>

#include "method/row_sums.h"

namespace neurontune {
namespace {

constexpr int64_t kRowsAtOnce = 32;

/// Σ of `of_rows` (float64, of as many rows) over all rows: [M]
at::Tensor column_sums(const at::Tensor& embeddings,
                       const std::function<at::Tensor(const at::Tensor&)>& of_rows) {
  const auto zero = at::zeros({embeddings.size(1)}, embeddings.options().dtype(at::kDouble));
  return sum_over_rows(
      embeddings.size(0), kRowsAtOnce, zero,
      [&](int64_t first, int64_t last, const at::Tensor& part) {
        part.add_(of_rows(embeddings.slice(0, first, last).to(at::kDouble)).sum(0));
      });
}

}  // namespace

ColumnScaling column_scaling(const at::Tensor& embeddings) {
  const auto samples = static_cast<double>(embeddings.size(0));
  const double rounding = samples * std::numeric_limits<double>::epsilon();
  const auto mean = column_sums(embeddings, [](const at::Tensor& rows) { return rows; }) / samples;
  const auto variance =
      column_sums(embeddings, [&](const at::Tensor& rows) { return rows.sub(mean).square_(); }) /
      samples;
  const auto constant = variance.le(rounding * variance + (rounding * mean).square());
  return {mean, variance.sqrt().masked_fill(constant, 1)};
}

at::Tensor scaled(const at::Tensor& embeddings, const ColumnScaling& scaling) {
  const auto dtype = embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return (embeddings.to(dtype) - scaling.mean.to(dtype)).div_(scaling.deviation.to(dtype));
}

}  // namespace neurontune
