#include "core/stratified_folds.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace neurontune {

at::Tensor stratified_folds(const at::Tensor& labels, int64_t classes, int64_t folds,
                            uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto host = labels.cpu();
  auto result = at::empty_like(host);
  for (int64_t label = 0; label < classes; ++label) {
    const auto members = host.eq(label).nonzero().squeeze(1);
    const auto order = at::randperm(members.size(0), generator, at::kLong);
    result.index_put_({members.index_select(0, order)}, at::arange(members.size(0)) % folds);
  }
  return result.to(labels.device());
}

LabelledEmbeddings at_rows(const LabelledEmbeddings& data, const at::Tensor& rows) {
  return {data.embeddings.index_select(0, rows), data.labels.index_select(0, rows),
          data.known_finite};
}

LabelledEmbeddings those(const LabelledEmbeddings& data, const at::Tensor& samples) {
  return at_rows(data, samples.nonzero().squeeze(1));
}

int64_t fewest_of_a_class(const at::Tensor& labels, int64_t classes) {
  return at::bincount(labels, {}, classes).min().item<int64_t>();
}

}  // namespace neurontune
