#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "neurontune/export.h"

namespace neurontune {

inline constexpr int64_t kCalibrationBins = 15;

/// The mean of F1 over the classes that a label or a prediction names, as scikit-learn's
/// f1_score(average="macro").
/// @param predictions int64 [N], in 0…C−1, on any device; N at least 1
/// @param labels      int64 [N], in 0…C−1
/// @throws Error if the shapes disagree or an index is out of range
NEURONTUNE_EXPORT double macro_f1(const at::Tensor& predictions, const at::Tensor& labels,
                                  int64_t classes);

/// The area under the ROC curve: how often a sample of class 1 has a higher score than one of
/// class 0, where equal scores count half.
/// @param scores floating point [N], on the CPU
/// @param labels int64 [N], 0 or 1
/// @return none where a class is absent or a score is NaN
NEURONTUNE_EXPORT std::optional<double> auroc(const at::Tensor& scores, const at::Tensor& labels);

/// The expected calibration error (Guo et al. 2017): over bins of equal width of the predicted
/// class's probability, how far its mean is from the accuracy, weighted by the bin's samples. A bin
/// holds its upper edge.
/// @param probability float64 [N], in [0, 1], on the CPU; N at least 1
/// @param correct     bool [N]
/// @return none where a probability is NaN
NEURONTUNE_EXPORT std::optional<double> expected_calibration_error(const at::Tensor& probability,
                                                                   const at::Tensor& correct,
                                                                   int64_t bins = kCalibrationBins);

}  // namespace neurontune
