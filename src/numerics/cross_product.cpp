#include "numerics/cross_product.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr int64_t kColumnsPerBlock = 64;

/// Adds aᵀ b to `sum`, some rows at a time, each time's product in float64.
void add_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum) {
  const int64_t rows = rows_at_once(b.device(), kRowsPerBlock);
  for (int64_t row = 0; row < b.size(0); row += rows) {
    const int64_t end = std::min(row + rows, b.size(0));
    sum.add_(a.slice(0, row, end).t().mm(b.slice(0, row, end)));
  }
}

}  // namespace

at::Tensor cross_product(const at::Tensor& a, const at::Tensor& b) {
  auto product = at::zeros({a.size(1), b.size(1)}, b.options().dtype(at::kDouble));
  for_fixed_blocks(b.device(), b.size(1), kColumnsPerBlock, [&](int64_t first, int64_t last) {
    add_product(a, b.slice(1, first, last), product.slice(1, first, last));
  });
  return product;
}

at::Tensor gram(const at::Tensor& a) {
  const int64_t columns = a.size(1);
  auto product = at::zeros({columns, columns}, a.options().dtype(at::kDouble));
  const auto upper = [&](int64_t first, int64_t last) {
    const auto block = a.slice(1, first, last);
    add_product(a.slice(1, 0, last), block, product.slice(0, 0, last).slice(1, first, last));
  };
  if (!a.is_cpu()) {
    upper(0, columns);
    return product;
  }
  // The further right, the longer: a short and a long block make a pair.
  const int64_t pairs = (columns + 2 * kColumnsPerBlock - 1) / (2 * kColumnsPerBlock);
  const auto begin = [&](int64_t block) { return block * columns / (2 * pairs); };
  for_fixed_blocks(a.device(), pairs, 1, [&](int64_t first, int64_t last) {
    for (int64_t pair = first; pair < last; ++pair)
      for (const int64_t block : {pair, 2 * pairs - 1 - pair})
        if (begin(block) < begin(block + 1)) upper(begin(block), begin(block + 1));
  });
  return product.triu_().add_(product.triu(1).t());
}

}  // namespace neurontune
