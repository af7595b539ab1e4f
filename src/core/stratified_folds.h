#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// The fold of each sample: int64 [N] on the labels' device. A class's samples go to the folds in
/// turn, in an order of the seed.
at::Tensor stratified_folds(const at::Tensor& labels, int64_t classes, int64_t folds,
                            uint64_t seed);

/// The samples of these rows, copied. @param rows int64 [n]
LabelledEmbeddings at_rows(const LabelledEmbeddings& data, const at::Tensor& rows);

/// The samples that a mask names, copied. @param samples bool [N]
LabelledEmbeddings those(const LabelledEmbeddings& data, const at::Tensor& samples);

/// The number of samples of the rarest class.
int64_t fewest_of_a_class(const at::Tensor& labels, int64_t classes);

}  // namespace neurontune
