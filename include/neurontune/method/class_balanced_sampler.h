#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// Draws batches in which every class has ⌊B/C⌋ or ⌈B/C⌉ samples, with replacement. The extra
/// places go round the classes; with C > B the classes themselves go round over the batches.
class NEURONTUNE_EXPORT ClassBalancedSampler {
 public:
  /// @param labels     int64 [N] on any device, in 0…C−1
  /// @param classes    C, at least 1
  /// @param batch_size B, at least 1
  /// @param generator  a CPU generator, so that every device sees the same batches
  /// @throws Error if a class has no sample
  ClassBalancedSampler(const at::Tensor& labels, int64_t classes, int64_t batch_size,
                       at::Generator generator);

  /// The next batches: int64 [batches, B] on the CPU, indices into the labels, a batch's samples
  /// in order of class.
  at::Tensor draw(int64_t batches);

 private:
  std::vector<at::Tensor> rows_of_class_;  ///< C tensors, int64 [n_c], ascending
  int64_t batch_size_;
  int64_t next_extra_ = 0;  ///< the class that gets the next extra place
  at::Generator generator_;
};

}  // namespace neurontune
