#include "neurontune/numerics/curvature.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "numerics/column_scaling.h"
#include "numerics/cross_product.h"
#include "numerics/fixed_blocks.h"
#include "numerics/leading_eigenvectors.h"

namespace neurontune {
namespace {

constexpr int64_t kRows = 4096;
constexpr int64_t kVectors = 128;

}  // namespace

/// The eigenvalues times κ, and what they belong to.
struct Curvature::Spectrum {
  at::Tensor values;   ///< the leading ones, float64 [K]
  at::Tensor vectors;  ///< float64 [M, K]
  double rest = 0;     ///< the mean of the others
};

Curvature::Curvature(const at::Tensor& embeddings) {
  auto spectrum = std::make_shared<Spectrum>();
  const int64_t rows = embeddings.size(0), dimensions = embeddings.size(1);
  const auto some = embeddings.slice(0, 0, rows, (rows + kRows - 1) / kRows);
  const auto moments = gram(scaled(some, column_scaling(some)));
  const auto leading = leading_eigenvectors(moments, kVectors);
  on_one_thread(moments.device(), [&] {
    const double factor = kSoftmaxSlope / static_cast<double>(some.size(0));
    const auto values = leading.values.clamp_min(0) * factor;
    const auto others = static_cast<double>(std::max<int64_t>(1, dimensions - values.size(0)));
    const double trace = moments.diagonal().sum().item<double>() * factor;
    spectrum->values = values;
    spectrum->vectors = leading.vectors;
    spectrum->rest = std::max(0.0, trace - values.sum().item<double>()) / others;
  });
  spectrum_ = std::move(spectrum);
}

at::Tensor Curvature::solve(const at::Tensor& vectors, double penalty) const {
  at::Tensor result;
  on_one_thread(vectors.device(), [&] {
    const double of_rest = 1 / (spectrum_->rest + penalty);
    const auto factors = (spectrum_->values + penalty).reciprocal() - of_rest;
    const auto along = vectors.mm(spectrum_->vectors) * factors;
    result = vectors * of_rest + along.mm(spectrum_->vectors.t());
  });
  return result;
}

}  // namespace neurontune
