#include "method/sorted_columns.h"

#include <ATen/ATen.h>

#include "neurontune/error.h"

namespace neurontune {

SortedColumns::SortedColumns(const at::Tensor& embeddings, const at::Tensor& rows,
                             Activation activation) {
  auto values = embeddings.index_select(0, rows);
  if (activation == Activation::magnitude) values.abs_();
  if (values.isnan().any().item<bool>()) throw Error("an embedding holds NaN");
  at::Tensor samples;
  std::tie(values_, samples) = values.sort(/*dim=*/0);
  samples_ = samples.to(at::kInt);
}

RankedColumns::Medians SortedColumns::medians(const at::Tensor& part) const {
  const int64_t samples = values_.size(0), of_part = part.numel();
  const auto in_part = at::zeros({samples}, part.options().dtype(at::kInt)).index_fill_(0, part, 1);
  const auto reached =
      in_part.index_select(0, samples_.view(-1)).view_as(samples_).cumsum(/*dim=*/0, at::kInt);
  RankedColumns::Medians medians;
  if (of_part > 0) medians.of_part = median(reached, of_part);
  if (of_part == samples) return medians;
  const auto ranks = at::arange(1, samples + 1, reached.options()).unsqueeze(1);
  medians.of_rest = median(ranks - reached, samples - of_part);
  return medians;
}

at::Tensor SortedColumns::median(const at::Tensor& reached, int64_t count) const {
  const auto dtype = values_.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto nth = [&](int64_t index) {  // the first rank up to which there are more than `index`
    const auto rank = reached.le(index).sum(/*dim=*/0, /*keepdim=*/true);
    return values_.gather(0, rank).squeeze(0).to(dtype);
  };
  return (nth((count - 1) / 2) + nth(count / 2)) / 2;
}

}  // namespace neurontune
