#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/method/spuriousness.h"
#include "numerics/ranked_columns.h"
#include "numerics/sorted_columns.h"

namespace neurontune {

/// A split whose embeddings stay while predictions change: ranked once within each class, so that
/// scores of further heads need no sorting. Stays on the embeddings' device.
class RankedSplit {
 public:
  /// @param data    checked, as by check_labelled
  /// @param sorted  whether whole-tensor operations rank, as everywhere but on the CPU
  /// @throws Error  if a value is NaN
  RankedSplit(const LabelledEmbeddings& data, int64_t classes, Activation activation, bool sorted);
  RankedSplit(const LabelledEmbeddings& data, int64_t classes, Activation activation);

  /// As `spuriousness_scores`. @param predictions int64 [N], in 0…C−1, on the embeddings' device
  SpuriousnessScores scores(const at::Tensor& predictions) const;

  int64_t classes() const { return classes_; }
  int64_t dimensions() const { return data_.embeddings.size(1); }
  /// int64 [n] on the embeddings' device: a class's rows in the split, rising.
  const at::Tensor& rows(int64_t label) const { return rows_[label]; }
  /// Calls `work` for every dimension, in parallel on the CPU, with a class's samples in rising
  /// order: places in `rows(label)`.
  void for_each_column(
      int64_t label,
      const std::function<void(int64_t column, const RankedColumns::Order& order)>& work) const;

 private:
  /// @param part int64 [k]: places among the class's rows
  RankedColumns::Medians medians(int64_t label, const at::Tensor& part) const;

  LabelledEmbeddings data_;
  int64_t classes_;
  std::vector<at::Tensor> rows_;       ///< int64 [n]: of each class, on the embeddings' device
  std::vector<RankedColumns> ranked_;  ///< [C], of embeddings on the CPU
  std::vector<SortedColumns> sorted_;  ///< of those elsewhere
};

}  // namespace neurontune
