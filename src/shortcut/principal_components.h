#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/shortcut/inferred_groups.h"
#include "numerics/column_scaling.h"

namespace neurontune {

/// The directions in which scaled embeddings vary most within the classes; all of them where the
/// embeddings have no more.
class PrincipalComponents {
 public:
  /// @param most of them, at least 1
  PrincipalComponents(const LabelledEmbeddings& data, int64_t classes, int64_t most);

  /// The embeddings [N, M], scaled, in these directions: [N, K] in their dtype.
  at::Tensor of(const at::Tensor& embeddings) const;

  /// What `of` leaves to be scaled: nothing, of K columns.
  const ColumnScaling& scaling() const { return unscaled_; }

  /// Groups of such coordinates as groups of the embeddings: the same beliefs and distances.
  InferredGroups of_embeddings(InferredGroups groups) const;

 private:
  ColumnScaling scaling_;   ///< of the embeddings
  ColumnScaling unscaled_;  ///< of the coordinates
  at::Tensor directions_;   ///< float64 [M, K]; undefined where they are the embedding's own
};

}  // namespace neurontune
