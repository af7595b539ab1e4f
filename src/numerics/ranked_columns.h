#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "neurontune/numerics/activation.h"

namespace neurontune {

/// Readies the columns of a class for ranking, in place: takes their sizes under
/// Activation::magnitude, and makes columns that count as constant by `smallest_scale` 0.
/// @param columns floating [M, n]
/// @throws Error if a value is NaN
void ready_to_rank(const at::Tensor& columns, Activation activation);

/// Samples ranked in each dimension, once, so that the medians of any part of them and of the rest
/// are found from the ranks of that part alone.
///
/// Holds the values in order, in the embeddings' dtype, and a rank a value, of 16 bits where the
/// samples are that few, else of 32.
class RankedColumns {
 public:
  /// @param embeddings floating [N, M] on the CPU
  /// @param rows       int64 [n]: the samples
  /// @throws Error if one of their values is NaN
  RankedColumns(const at::Tensor& embeddings, const at::Tensor& rows, Activation activation);

  struct Medians {
    at::Tensor of_part, of_rest;  ///< [M], float32, or float64 where the embeddings are; not set
                                  ///< where there is no such sample
  };
  /// Medians in each dimension of some of the samples, and of the others.
  /// @param part int64 [k]: places in `rows`, each once
  Medians medians(const at::Tensor& part) const;

  /// The samples in rising order in one dimension.
  struct Order {
    at::Tensor values;   ///< [n], in the embeddings' dtype
    at::Tensor samples;  ///< int32 [n]: places in `rows`; equal values by place
  };
  /// Calls `work` for every dimension, in parallel.
  void for_each_column(const std::function<void(int64_t column, const Order& order)>& work) const;

  int64_t samples() const { return sorted_.size(1); }
  int64_t dimensions() const { return sorted_.size(0); }

 private:
  at::Tensor sorted_;  ///< [M, n]
  /// Unsigned ranks in int16 or int32: block after block of columns, in a block [n, columns].
  at::Tensor ranks_;
};

}  // namespace neurontune
