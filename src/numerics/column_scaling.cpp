#include "numerics/column_scaling.h"

#include <ATen/ATen.h>

#include <limits>

#include "base/computing_type.h"
#include "numerics/fixed_blocks.h"
#include "numerics/row_sums.h"
#include "numerics/smallest_scale.h"

namespace neurontune {
namespace {

constexpr int64_t kRowsAtOnce = 32;
constexpr int64_t kPivotRows = 64;

}  // namespace

ColumnScaling column_scaling(const at::Tensor& embeddings) {
  // Σ (z − p) and Σ (z − p)² in one pass, with p the mean of a few rows: no digits are lost as long
  // as p is within some deviations of the mean.
  const int64_t samples = embeddings.size(0);
  at::Tensor pivot;
  on_one_thread(embeddings.device(), [&] {
    pivot = embeddings.slice(0, 0, samples, (samples + kPivotRows - 1) / kPivotRows)
                .to(at::kDouble)
                .mean(0);
  });
  const auto zero = at::zeros({2, embeddings.size(1)}, pivot.options());
  const auto sums = sum_over_rows(
      samples, kRowsAtOnce, zero, [&](int64_t first, int64_t last, const at::Tensor& part) {
        auto rows = embeddings.slice(0, first, last).to(at::kDouble) - pivot;
        part[0].add_(rows.sum(0));
        part[1].add_(rows.square_().sum(0));
      });
  const auto from_pivot = sums[0] / samples;
  const auto mean = pivot + from_pivot;
  const auto variance = (sums[1] / samples - from_pivot.square()).clamp_min(0);
  const double rounding = static_cast<double>(samples) * std::numeric_limits<double>::epsilon();
  const auto deviation = variance.sqrt();
  const auto constant = variance.le(rounding * variance + (rounding * mean).square())
                            .logical_or(deviation.lt(smallest_scale(embeddings.scalar_type())));
  return {mean, deviation.masked_fill(constant, 1), constant};
}

at::Tensor scaled(const at::Tensor& embeddings, const ColumnScaling& scaling) {
  const auto dtype = computing_type(embeddings);
  return (embeddings.to(dtype) - scaling.mean.to(dtype)).div_(scaling.deviation.to(dtype));
}

}  // namespace neurontune
