#include "method/column_scaling.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "method/fixed_blocks.h"

namespace neurontune {
namespace {

/// Sums over rows are taken in as many parts at most, each of them a few rows at a time.
constexpr int64_t kParts = 64;
constexpr int64_t kRowsAtOnce = 32;

/// Σ of `of_rows` (float64, of as many rows) over all rows: [M]
at::Tensor column_sums(const at::Tensor& embeddings,
                       const std::function<at::Tensor(const at::Tensor&)>& of_rows) {
  const int64_t rows = embeddings.size(0),
                size = std::max(kRowsAtOnce, (rows + kParts - 1) / kParts);
  const int64_t count = (rows + size - 1) / size;
  const auto parts =
      at::zeros({count, embeddings.size(1)}, embeddings.options().dtype(at::kDouble));
  for_fixed_blocks(embeddings.device(), count, 1, [&](int64_t first, int64_t last) {
    for (int64_t part = first; part < last; ++part) {
      const int64_t end = std::min(rows, (part + 1) * size);
      for (int64_t row = part * size; row < end; row += kRowsAtOnce)
        parts[part].add_(
            of_rows(embeddings.slice(0, row, std::min(row + kRowsAtOnce, end)).to(at::kDouble))
                .sum(0));
    }
  });
  at::Tensor sums;
  on_one_thread(embeddings.device(), [&] { sums = parts.sum(0); });
  return sums;
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
