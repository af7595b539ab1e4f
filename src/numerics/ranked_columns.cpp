#include "numerics/ranked_columns.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <bit>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/computing_type.h"
#include "neurontune/base/error.h"
#include "numerics/fixed_blocks.h"
#include "numerics/radix_sort.h"
#include "numerics/smallest_scale.h"

namespace neurontune {
namespace {

/// Whose 16-bit ranks of one sample fill a cache line.
constexpr int64_t kColumnsPerLine = 32;
constexpr int64_t kWordBits = 64;

/// The samples of one part, a bit a rank, and with `flip` those of the rest.
struct Marks {
  const uint64_t* words;
  uint64_t flip;

  uint64_t word(int64_t index) const { return words[index] ^ flip; }

  /// The `index`-th rank, of more than that.
  int64_t nth(int64_t index) const {
    int64_t at = 0;
    for (int64_t here; (here = std::popcount(word(at))) <= index; ++at) index -= here;
    auto bits = word(at);
    for (; index > 0; --index) bits &= bits - 1;
    return at * kWordBits + std::countr_zero(bits);
  }

  /// The rank after `rank`, which is not the last.
  int64_t next(int64_t rank) const {
    int64_t at = (rank + 1) / kWordBits;
    auto bits = word(at) & (~uint64_t{0} << ((rank + 1) % kWordBits));
    while (bits == 0) bits = word(++at);
    return at * kWordBits + std::countr_zero(bits);
  }
};

/// The median of the `count` values that are marked, at least one.
template <typename Scalar>
auto marked_median(const Scalar* sorted, const Marks& marks, int64_t count) {
  using Result = std::conditional_t<std::is_same_v<Scalar, double>, double, float>;
  const int64_t lower = marks.nth((count - 1) / 2);
  const auto value = static_cast<Result>(sorted[lower]);
  if (count % 2 == 1) return value;
  return (value + static_cast<Result>(sorted[marks.next(lower)])) / 2;
}

/// Ranks in a column, and who has them.
template <typename Scalar>
void sort_column(const Scalar* values, int64_t n, Scalar* sorted, int32_t* order) {
  using Key = decltype(ordered_bits(Scalar{}));
  thread_local std::vector<Keyed<Key>> items, scratch;
  items.clear();
  for (int64_t i = 0; i < n; ++i)
    items.push_back({ordered_bits(values[i]), static_cast<int32_t>(i)});
  sort_by_key(items, scratch);
  for (int64_t rank = 0; rank < n; ++rank) {
    order[rank] = items[rank].place;
    sorted[rank] = values[items[rank].place];
  }
}

template <typename Work>
void with_rank_type(const at::Tensor& ranks, const Work& work) {
  if (ranks.scalar_type() == at::kShort)
    work(reinterpret_cast<uint16_t*>(ranks.mutable_data_ptr<int16_t>()));
  else
    work(reinterpret_cast<uint32_t*>(ranks.mutable_data_ptr<int32_t>()));
}

}  // namespace

void ready_to_rank(const at::Tensor& columns, Activation activation) {
  if (activation == Activation::magnitude) columns.abs_();
  const auto largest = columns.abs().amax(1, /*keepdim=*/true);
  if (largest.isnan().any().item<bool>()) throw Error("an embedding holds NaN");
  columns.masked_fill_(largest.to(at::kDouble).lt(smallest_scale(columns.scalar_type())), 0);
}

RankedColumns::RankedColumns(const at::Tensor& embeddings, const at::Tensor& rows,
                             Activation activation) {
  const int64_t n = rows.size(0), dimensions = embeddings.size(1);
  const bool few = n <= int64_t{1} << 16;
  sorted_ = at::empty({dimensions, n}, embeddings.options());
  ranks_ = at::empty({n * dimensions}, few ? at::kShort : at::kInt);
  if (n == 0) return;
  for_fixed_blocks(at::kCPU, dimensions, kColumnsPerLine, [&](int64_t first, int64_t last) {
    auto values = embeddings.slice(1, first, last).index_select(0, rows).t().contiguous();
    ready_to_rank(values, activation);
    std::vector<int32_t> order(n);
    for (int64_t column = first; column < last; ++column) {
      AT_DISPATCH_FLOATING_TYPES_AND2(
          at::kHalf, at::kBFloat16, values.scalar_type(), "sort_column", [&] {
            sort_column(values.const_data_ptr<scalar_t>() + (column - first) * n, n,
                        sorted_.mutable_data_ptr<scalar_t>() + column * n, order.data());
          });
      with_rank_type(ranks_, [&](auto* ranks) {
        using Rank = std::remove_pointer_t<decltype(ranks)>;
        auto* const of_column = ranks + first * n + (column - first);
        for (int64_t rank = 0; rank < n; ++rank)
          of_column[order[rank] * (last - first)] = static_cast<Rank>(rank);
      });
    }
  });
}

RankedColumns::Medians RankedColumns::medians(const at::Tensor& part) const {
  const auto dtype = computing_type(sorted_);
  const int64_t n = samples(), k = part.size(0), words = n / kWordBits + 1;
  const auto* const chosen = part.const_data_ptr<int64_t>();
  Medians medians;
  if (k > 0) medians.of_part = at::empty({dimensions()}, dtype);
  if (k < n) medians.of_rest = at::empty({dimensions()}, dtype);
  for_fixed_blocks(at::kCPU, dimensions(), kColumnsPerLine, [&](int64_t first, int64_t last) {
    const int64_t columns = last - first;
    std::vector<uint64_t> marks(columns * words);
    with_rank_type(ranks_, [&](const auto* ranks) {
      for (int64_t i = 0; i < k; ++i) {
        const auto* const of_sample = ranks + first * n + chosen[i] * columns;
        for (int64_t column = 0; column < columns; ++column)
          marks[column * words + of_sample[column] / kWordBits] |=
              uint64_t{1} << (of_sample[column] % kWordBits);
      }
    });
    AT_DISPATCH_FLOATING_TYPES_AND2(
        at::kHalf, at::kBFloat16, sorted_.scalar_type(), "medians", [&] {
          using Result = decltype(marked_median(std::declval<const scalar_t*>(), {}, 0));
          for (int64_t column = first; column < last; ++column) {
            const auto* const sorted = sorted_.const_data_ptr<scalar_t>() + column * n;
            const uint64_t* const of_column = marks.data() + (column - first) * words;
            if (k > 0)
              medians.of_part.mutable_data_ptr<Result>()[column] =
                  marked_median(sorted, {of_column, 0}, k);
            if (k < n)
              medians.of_rest.mutable_data_ptr<Result>()[column] =
                  marked_median(sorted, {of_column, ~uint64_t{0}}, n - k);
          }
        });
  });
  return medians;
}

void RankedColumns::for_each_column(
    const std::function<void(int64_t column, const Order& order)>& work) const {
  const int64_t n = samples();
  for_fixed_blocks(at::kCPU, dimensions(), kColumnsPerLine, [&](int64_t first, int64_t last) {
    const auto places = at::empty({n}, at::kInt);
    auto* const order = places.mutable_data_ptr<int32_t>();
    for (int64_t column = first; column < last; ++column) {
      with_rank_type(ranks_, [&](const auto* ranks) {
        const auto* const of_column = ranks + first * n + (column - first);
        for (int64_t i = 0; i < n; ++i)
          order[of_column[i * (last - first)]] = static_cast<int32_t>(i);
      });
      work(column, {sorted_[column], places});
    }
  });
}

}  // namespace neurontune
