#include "numerics/sorted_columns.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/computing_type.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

/// Sorting takes several times the memory of what is sorted.
constexpr int64_t kDimensionsAtOnce = 512;

}  // namespace

SortedColumns::SortedColumns(const at::Tensor& embeddings, const at::Tensor& rows,
                             Activation activation) {
  const int64_t dimensions = embeddings.size(1), samples = rows.size(0);
  values_ = at::empty({dimensions, samples}, embeddings.options());
  samples_ = at::empty({dimensions, samples}, rows.options().dtype(at::kInt));
  for (int64_t first = 0; first < dimensions; first += kDimensionsAtOnce) {
    const int64_t last = std::min(first + kDimensionsAtOnce, dimensions);
    auto values = embeddings.slice(1, first, last).index_select(0, rows).t().contiguous();
    if (samples > 0) ready_to_rank(values, activation);
    const auto [sorted, places] = values.sort(/*dim=*/1);
    values_.slice(0, first, last).copy_(sorted);
    samples_.slice(0, first, last).copy_(places);
  }
}

RankedColumns::Medians SortedColumns::medians(const at::Tensor& part) const {
  const int64_t samples = values_.size(1), of_part = part.numel();
  const auto in_part = at::zeros({samples}, part.options().dtype(at::kInt)).index_fill_(0, part, 1);
  const auto reached =
      in_part.index_select(0, samples_.view(-1)).view_as(samples_).cumsum(/*dim=*/1, at::kInt);
  RankedColumns::Medians medians;
  if (of_part > 0) medians.of_part = median(reached, of_part);
  if (of_part == samples) return medians;
  const auto ranks = at::arange(1, samples + 1, reached.options());
  medians.of_rest = median(ranks - reached, samples - of_part);
  return medians;
}

void SortedColumns::for_each_column(
    const std::function<void(int64_t column, const RankedColumns::Order& order)>& work) const {
  for (int64_t first = 0; first < values_.size(0); first += kDimensionsAtOnce) {
    const int64_t last = std::min(first + kDimensionsAtOnce, values_.size(0));
    const auto values = values_.slice(0, first, last).cpu();
    const auto samples = samples_.slice(0, first, last).cpu();
    for_fixed_blocks(at::kCPU, last - first, /*block_size=*/1, [&](int64_t begin, int64_t end) {
      for (int64_t column = begin; column < end; ++column)
        work(first + column, {values[column], samples[column]});
    });
  }
}

at::Tensor SortedColumns::median(const at::Tensor& reached, int64_t count) const {
  const auto dtype = computing_type(values_);
  const auto nth = [&](int64_t index) {  // the first rank up to which there are more than `index`
    const auto rank = reached.le(index).sum(/*dim=*/1, /*keepdim=*/true);
    return values_.gather(1, rank).squeeze(1).to(dtype);
  };
  return (nth((count - 1) / 2) + nth(count / 2)) / 2;
}

}  // namespace neurontune
