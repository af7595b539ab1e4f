#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "method/ranked_columns.h"
#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/method/spuriousness.h"

namespace neurontune {

/// A class's samples, and their ranks in each dimension.
struct RankedClass {
  at::Tensor rows;  ///< int64 [n] on the CPU: the class's rows in the split, rising
  RankedColumns columns;
};

/// A split whose embeddings stay while predictions change: ranked once within each class, so that
/// scores of further heads need no sorting. Ranks are on the CPU; on other devices scores are taken
/// from the embeddings.
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
  struct ClassMedians {
    RankedColumns::Medians medians;  ///< of the misclassified part, and of the rest
    int64_t correct, misclassified;
  };
  /// @param wrong bool [N]
  ClassMedians ranked_medians(int64_t label, const at::Tensor& wrong) const;
  ClassMedians straight_medians(int64_t label, const at::Tensor& wrong) const;

  LabelledEmbeddings data_;
  int64_t classes_;
  Activation activation_;
  std::vector<RankedClass> ranked_;  ///< of embeddings on the CPU
};

}  // namespace neurontune
