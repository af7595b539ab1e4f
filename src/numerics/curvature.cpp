#include "neurontune/numerics/curvature.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "numerics/column_scaling.h"
#include "numerics/cross_product.h"
#include "numerics/fixed_blocks.h"
#include "numerics/leading_eigenvectors.h"

namespace neurontune {
namespace {

constexpr int64_t kRows = 4096;
constexpr int64_t kVectors = 128;
/// What p(1 − p) is taken for.
constexpr double kSlope = 0.1;

}  // namespace

Curvature::Curvature(const at::Tensor& embeddings) {
  const int64_t rows = embeddings.size(0), dimensions = embeddings.size(1);
  const auto some = embeddings.slice(0, 0, rows, (rows + kRows - 1) / kRows);
  const auto moments = gram(scaled(some, column_scaling(some)));
  const auto leading = leading_eigenvectors(moments, kVectors);
  on_one_thread(moments.device(), [&] {
    const double factor = kSlope / static_cast<double>(some.size(0));
    values_ = leading.values.clamp_min(0) * factor;
    vectors_ = leading.vectors;
    const auto others = static_cast<double>(std::max<int64_t>(1, dimensions - values_.size(0)));
    const double trace = moments.diagonal().sum().item<double>() * factor;
    rest_ = std::max(0.0, trace - values_.sum().item<double>()) / others;
  });
}

at::Tensor Curvature::solve(const at::Tensor& vectors, double penalty) const {
  at::Tensor result;
  on_one_thread(vectors.device(), [&] {
    const double of_rest = 1 / (rest_ + penalty);
    const auto factors = (values_ + penalty).reciprocal() - of_rest;
    result = vectors * of_rest + (vectors.mm(vectors_) * factors).mm(vectors_.t());
  });
  return result;
}

}  // namespace neurontune
