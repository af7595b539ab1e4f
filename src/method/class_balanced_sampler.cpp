#include "neurontune/method/class_balanced_sampler.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "neurontune/base/error.h"

namespace neurontune {

ClassBalancedSampler::ClassBalancedSampler(const at::Tensor& labels, int64_t classes,
                                           int64_t batch_size, at::Generator generator)
    : batch_size_(batch_size), generator_(std::move(generator)) {
  const auto host = labels.cpu();
  for (int64_t label = 0; label < classes; ++label) {
    rows_of_class_.push_back(host.eq(label).nonzero().squeeze(1));
    if (rows_of_class_.back().numel() == 0)
      throw Error("the tuning split has no sample of class " + std::to_string(label) + " (of " +
                  std::to_string(classes) +
                  " classes): class-balanced batches need at least one of each");
  }
}

at::Tensor ClassBalancedSampler::draw(int64_t batches) {
  const auto classes = static_cast<int64_t>(rows_of_class_.size());
  const int64_t base = batch_size_ / classes;
  const int64_t extra = batch_size_ % classes;

  // Places of each class in each batch, and how many that is in all.
  std::vector<int64_t> places(batches * classes, base);
  std::vector<int64_t> total(classes, batches * base);
  for (int64_t batch = 0; batch < batches; ++batch)
    for (int64_t i = 0; i < extra; ++i) {
      ++places[batch * classes + next_extra_];
      ++total[next_extra_];
      next_extra_ = (next_extra_ + 1) % classes;
    }

  std::vector<at::Tensor> drawn(classes);
  std::vector<const int64_t*> next(classes);
  for (int64_t label = 0; label < classes; ++label) {
    const auto& rows = rows_of_class_[label];
    const auto ranks = at::randint(0, rows.numel(), {total[label]}, generator_, at::kLong);
    drawn[label] = rows.index_select(0, ranks).contiguous();
    next[label] = drawn[label].const_data_ptr<int64_t>();
  }

  auto indices = at::empty({batches, batch_size_}, at::kLong);
  int64_t* out = indices.mutable_data_ptr<int64_t>();
  for (int64_t batch = 0; batch < batches; ++batch)
    for (int64_t label = 0; label < classes; ++label) {
      const int64_t count = places[batch * classes + label];
      out = std::copy_n(next[label], count, out);
      next[label] += count;
    }
  return indices;
}

}  // namespace neurontune
