#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "method/ranked_columns.h"
#include "method/sorted_columns.h"
#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/method/spuriousness.h"

namespace neurontune {

/// A class's samples, and their ranks in each dimension.
struct RankedClass {
  at::Tensor rows;  ///< int64 [n] on the CPU: the class's rows in the split, rising
  RankedColumns columns;
};

/// A split whose embeddings stay while predictions change: ranked once within each class, so that
/// scores of further heads need no sorting. Stays on the embeddings' device.
class RankedSplit {
 public:
  /// @param data    checked, as by check_labelled
  /// @throws Error  if a value is NaN
  RankedSplit(const LabelledEmbeddings& data, int64_t classes, Activation activation);

  /// As `spuriousness_scores`. @param predictions int64 [N], in 0…C−1, on the embeddings' device
  SpuriousnessScores scores(const at::Tensor& predictions) const;

  /// [C]; the embeddings of another device are copied to the CPU for it.
  std::vector<RankedClass> of_classes() const;

 private:
  /// @param part int64 [k]: places among the class's rows
  RankedColumns::Medians medians(int64_t label, const at::Tensor& part) const;

  LabelledEmbeddings data_;
  int64_t classes_;
  Activation activation_;
  std::vector<at::Tensor> rows_;       ///< int64 [n]: of each class, on the embeddings' device
  std::vector<RankedClass> ranked_;    ///< of embeddings on the CPU
  std::vector<SortedColumns> sorted_;  ///< of those elsewhere
};

}  // namespace neurontune
