#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "device/device_copier.h"
#include "neurontune/data/dataset.h"

namespace neurontune {

/// A sample that could not be read.
struct SkippedSample {
  int64_t row = 0;
  std::string reason;
};

/// Consecutive samples as a model takes them.
struct Batch {
  int64_t first = 0, last = 0;         ///< the rows it covers: first…last−1
  std::vector<at::Tensor> inputs;      ///< of those that could be read; none if none could
  std::vector<SkippedSample> skipped;  ///< the others, in order
};

/// What to do with samples that cannot be read.
enum class Unreadable { fail, skip };

/// Reads a data set's batches in order, one ahead in a thread of its own, so that decoding, the
/// copy to the model's device and the model overlap. Never holds more than two batches.
class BatchReader {
 public:
  /// @param first  where to begin, a multiple of `batch_size`
  /// @param device where the inputs are wanted
  BatchReader(const Dataset& dataset, int64_t first, int64_t batch_size, Unreadable unreadable,
              at::Device device);
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;
  ~BatchReader();

  /// The next batch, or none after the last.
  /// @throws Error what reading it threw
  std::optional<Batch> next();

 private:
  void read_ahead(int64_t first);
  Batch read(int64_t first, int64_t last) const;
  void give(std::optional<Batch> batch, std::exception_ptr failure);

  const Dataset& dataset_;
  int64_t batch_size_;
  Unreadable unreadable_;
  DeviceCopier copier_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;    ///< whether the next batch, the end or a failure waits to be taken
  bool stopped_ = false;  ///< whether no more is wanted
  std::optional<Batch> batch_;
  std::exception_ptr failure_;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace neurontune
