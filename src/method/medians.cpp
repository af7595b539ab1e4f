#include "method/medians.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>

#include "method/fixed_blocks.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr int64_t kColumnsPerBlock = 32;

/// Median of n values, which are left in another order.
template <typename Scalar>
Scalar median_in_place(Scalar* values, int64_t n) {
  Scalar* const upper = values + n / 2;
  std::nth_element(values, upper, values + n);
  if (n % 2 == 1) return *upper;
  return (*std::max_element(values, upper) + *upper) / 2;
}

/// Medians of the rows of a contiguous CPU tensor [w, n].
at::Tensor row_medians_by_selection(const at::Tensor& values) {
  const int64_t n = values.size(1);
  auto medians = at::empty({values.size(0)}, values.options());
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "row_medians", [&] {
    auto* const out = medians.mutable_data_ptr<scalar_t>();
    auto* const data = values.mutable_data_ptr<scalar_t>();
    for (int64_t row = 0; row < values.size(0); ++row)
      out[row] = median_in_place(data + row * n, n);
  });
  return medians;
}

at::Tensor row_medians_by_sorting(const at::Tensor& values) {
  const int64_t n = values.size(1);
  const auto sorted = std::get<0>(values.sort(1));
  return (sorted.select(1, (n - 1) / 2) + sorted.select(1, n / 2)) / 2;
}

}  // namespace

at::Tensor column_medians(const at::Tensor& embeddings, const at::Tensor& rows,
                          Activation activation) {
  const auto dtype = embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto medians = at::empty({embeddings.size(1)}, embeddings.options().dtype(dtype));
  for_fixed_blocks(
      embeddings.device(), embeddings.size(1), kColumnsPerBlock, [&](int64_t first, int64_t last) {
        auto values =
            embeddings.slice(1, first, last).index_select(0, rows).to(dtype).t().contiguous();
        if (activation == Activation::magnitude) values.abs_();
        if (values.isnan().any().item<bool>())
          throw Error("an embedding holds NaN in dimensions " + std::to_string(first) + " to " +
                      std::to_string(last - 1));
        medians.slice(0, first, last)
            .copy_(values.is_cpu() ? row_medians_by_selection(values)
                                   : row_medians_by_sorting(values));
      });
  return medians;
}

}  // namespace neurontune
