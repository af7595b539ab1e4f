#pragma once

#include <ATen/core/Tensor.h>

namespace neurontune {

/// The samples whose label is likely wrong, by confident learning (Northcutt, Jiang & Chuang 2021):
/// another class is at least as probable as that class is, on average, to the samples that bear its
/// label, and the most probable of such classes is not the sample's own.
///
/// @param probabilities floating [N, C], by a head that was not trained on the samples
/// @param labels        int64 [N], in 0…C−1, on the same device
/// @return bool [N]; a class without samples is never the other one
at::Tensor likely_label_errors(const at::Tensor& probabilities, const at::Tensor& labels);

}  // namespace neurontune
