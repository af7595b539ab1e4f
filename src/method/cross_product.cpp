#include "method/cross_product.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "method/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr int64_t kColumnsPerBlock = 64;
constexpr int64_t kRowsPerBlock = 1024;

}  // namespace

at::Tensor cross_product(const at::Tensor& a, const at::Tensor& b) {
  const auto product = at::zeros({a.size(1), b.size(1)}, b.options().dtype(at::kDouble));
  for_fixed_blocks(b.device(), b.size(1), kColumnsPerBlock, [&](int64_t first, int64_t last) {
    const auto columns = b.slice(1, first, last);
    for (int64_t row = 0; row < b.size(0); row += kRowsPerBlock) {
      const int64_t end = std::min(row + kRowsPerBlock, b.size(0));
      product.slice(1, first, last).add_(a.slice(0, row, end).t().mm(columns.slice(0, row, end)));
    }
  });
  return product;
}

}  // namespace neurontune
