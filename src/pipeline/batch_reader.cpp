#include "pipeline/batch_reader.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "neurontune/base/error.h"

namespace neurontune {

BatchReader::BatchReader(const Dataset& dataset, int64_t first, int64_t batch_size,
                         Unreadable unreadable, at::Device device)
    : dataset_(dataset),
      batch_size_(batch_size),
      unreadable_(unreadable),
      copier_(device),
      thread_([this, first] { read_ahead(first); }) {}

BatchReader::~BatchReader() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<Batch> BatchReader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ready_; });
  if (failure_) std::rethrow_exception(failure_);
  if (!batch_) return std::nullopt;
  ready_ = false;
  changed_.notify_all();
  copier_.take_over(batch_->inputs);
  return std::exchange(batch_, std::nullopt);
}

void BatchReader::read_ahead(int64_t first) {
  for (; first < dataset_.size(); first += batch_size_) {
    try {
      auto batch = read(first, std::min(first + batch_size_, dataset_.size()));
      batch.inputs = copier_.copy(batch.inputs);
      give(std::move(batch), nullptr);
    } catch (...) {
      return give(std::nullopt, std::current_exception());
    }
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  give(std::nullopt, nullptr);
}

/// Waits until the batch before is taken.
void BatchReader::give(std::optional<Batch> batch, std::exception_ptr failure) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_ || stopped_; });
  batch_ = std::move(batch);
  failure_ = std::move(failure);
  ready_ = true;
  changed_.notify_all();
}

Batch BatchReader::read(int64_t first, int64_t last) const {
  if (unreadable_ == Unreadable::fail) return {first, last, dataset_.batch(first, last), {}};
  try {
    return {first, last, dataset_.batch(first, last), {}};
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): some sample of it; find out which
  }
  Batch batch{first, last, {}, {}};
  std::vector<std::vector<at::Tensor>> columns;  // of each input, the samples
  for (int64_t row = first; row < last; ++row) {
    try {
      const auto sample = dataset_.batch(row, row + 1);
      columns.resize(sample.size());
      for (std::size_t i = 0; i < sample.size(); ++i) columns[i].push_back(sample[i]);
    } catch (const Error& error) {
      batch.skipped.push_back({row, error.what()});
    }
  }
  for (const auto& column : columns) batch.inputs.push_back(at::cat(column));
  return batch;
}

}  // namespace neurontune
