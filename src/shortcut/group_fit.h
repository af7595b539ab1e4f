#pragma once

#include <ATen/core/Tensor.h>

#include "neurontune/base/error.h"
#include "neurontune/shortcut/inferred_groups.h"
#include "numerics/column_scaling.h"

namespace neurontune {

/// Embeddings in which no attribute can be told apart.
class NoVariation : public Error {
 public:
  NoVariation()
      : Error(
            "the embeddings do not vary within the classes, so no attribute can be told "
            "apart in them") {}
};

/// What groups are fitted to: some samples of a split, which is scaled and stays as a whole, so
/// that fits to other samples of it need no copy.
struct GroupData {
  ColumnScaling scaling;
  at::Tensor inputs;   ///< scaled [N, M]
  at::Tensor labels;   ///< int64 [N]
  at::Tensor present;  ///< bool [N]: the samples that are fitted to
  at::Tensor factor;   ///< of their second moments, see below; set by factor_second_moments
};

/// Sets the factor: the lower Cholesky factor, float64 [M, M], of (1 − s) inputsᵀ inputs / n + v s
/// times the identity, over the n samples present, with s the shrinkage, and v their mean variance
/// within the classes, over the columns that vary.
/// @param gram inputsᵀ inputs of them, float64 [M, M]; written over
/// @throws NoVariation if the inputs do not vary within the classes
void factor_second_moments(GroupData& data, at::Tensor gram, double shrinkage);

/// As `infer_groups`, of checked data.
/// @param evidence int64 [N], of samples that are not present too
InferredGroups fit_groups(const GroupData& data, const at::Tensor& evidence, int64_t classes,
                          const InferredGroupsOptions& options);

}  // namespace neurontune
