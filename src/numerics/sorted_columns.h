#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "neurontune/numerics/activation.h"
#include "numerics/ranked_columns.h"

namespace neurontune {

/// What RankedColumns is on the CPU, for other devices: samples sorted in each dimension, once, and
/// medians in a few passes of whole-tensor operations, without a word to the CPU in between.
///
/// Holds the values in order, in the embeddings' dtype, and an int32 a value.
class SortedColumns {
 public:
  /// @param embeddings floating [N, M], on any device
  /// @param rows       int64 [n]: the samples, on the same device
  /// @throws Error if one of their values is NaN
  SortedColumns(const at::Tensor& embeddings, const at::Tensor& rows, Activation activation);

  /// As RankedColumns::medians. @param part int64 [k], on the embeddings' device
  RankedColumns::Medians medians(const at::Tensor& part) const;

  /// As RankedColumns::for_each_column, on the CPU, some columns copied at a time; equal values
  /// come in any order.
  void for_each_column(
      const std::function<void(int64_t column, const RankedColumns::Order& order)>& work) const;

 private:
  /// The median of the `count` values of a part, at least one: [M].
  /// @param reached int32 [M, n]: how many of the part there are up to each rank
  at::Tensor median(const at::Tensor& reached, int64_t count) const;

  at::Tensor values_;   ///< [M, n], rising
  at::Tensor samples_;  ///< int32 [M, n]: whose they are, as places in `rows`
};

}  // namespace neurontune
