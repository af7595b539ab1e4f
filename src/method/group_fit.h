#pragma once

#include <ATen/core/Tensor.h>

#include "method/column_scaling.h"
#include "neurontune/method/inferred_groups.h"

namespace neurontune {

/// What groups are fitted to: a split, scaled, and its products, which many fits share.
struct GroupData {
  ColumnScaling scaling;
  at::Tensor inputs;  ///< scaled [N, M]
  at::Tensor labels;  ///< int64 [N]
  at::Tensor
      factor;  ///< that `factored_second_moments` gives: the lower Cholesky factor, float64 [M, M]
};

/// (1 − shrinkage) / N inputsᵀ inputs + shrinkage · v · I, with v the mean variance within the
/// classes, factored.
/// @param gram inputsᵀ inputs, float64 [M, M]
/// @throws Error if the inputs do not vary within the classes
at::Tensor factored_second_moments(const at::Tensor& gram, const at::Tensor& inputs,
                                   const at::Tensor& labels, double shrinkage);

/// What speaks for the samples' values of the attribute: int64 [N] each, in 0…C−1.
struct GroupEvidence {
  at::Tensor begun_with;  ///< that the first beliefs are
  at::Tensor counted;     ///< that the prior p(a | y) is counted from
};

/// As `infer_groups`, of checked data.
InferredGroups fit_groups(const GroupData& data, const GroupEvidence& evidence, int64_t classes,
                          const InferredGroupsOptions& options);

}  // namespace neurontune
