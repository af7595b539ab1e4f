#include "method/medians.h"

#include <ATen/ATen.h>

#include "method/fixed_blocks.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr int64_t kColumnsPerBlock = 32;

at::Tensor row_medians(const at::Tensor& values) {
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
        if (values.isnan().any().item<bool>()) throw Error("an embedding holds NaN");
        medians.slice(0, first, last).copy_(row_medians(values));
      });
  return medians;
}

}  // namespace neurontune
