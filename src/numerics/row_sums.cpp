#include "numerics/row_sums.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr int64_t kParts = 64;

}  // namespace

at::Tensor sum_over_rows(
    int64_t rows, int64_t rows_in_cache, const at::Tensor& zero,
    const std::function<void(int64_t first, int64_t last, const at::Tensor& part)>& add) {
  const int64_t at_once = rows_at_once(zero.device(), rows_in_cache);
  const int64_t size = std::max(at_once, (rows + kParts - 1) / kParts);
  const int64_t count = (rows + size - 1) / size;
  const auto parts = at::stack(std::vector<at::Tensor>(count, zero));
  for_fixed_blocks(zero.device(), count, 1, [&](int64_t first, int64_t last) {
    for (int64_t part = first; part < last; ++part) {
      const int64_t end = std::min(rows, (part + 1) * size);
      for (int64_t row = part * size; row < end; row += at_once)
        add(row, std::min(row + at_once, end), parts[part]);
    }
  });
  at::Tensor sum;
  on_one_thread(zero.device(), [&] { sum = parts.sum(0); });
  return sum;
}

}  // namespace neurontune
