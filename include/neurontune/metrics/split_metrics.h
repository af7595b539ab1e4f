#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "neurontune/export.h"
#include "neurontune/metrics/class_predictions.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

/// What group metrics need to know of a data set as a whole.
struct GroupSpace {
  int64_t classes = 0;           ///< C
  int64_t attribute_values = 0;  ///< A, over all splits; 0 without attributes
  GroupCounts train_counts;      ///< empty where train has no attributes
};

/// How well predictions match a split.
struct SplitMetrics {
  AccuracyMetrics accuracy;            ///< over samples and classes
  std::optional<GroupMetrics> groups;  ///< where any attribute of the split is known
  double macro_f1 = 0;                 ///< mean over the classes of the F1 score
  // Where probabilities are known, and none is NaN:
  std::optional<double> expected_calibration_error;  ///< in kCalibrationBins bins
  std::optional<double> auroc;                       ///< of two classes that are both present
};

/// @param predictions int64 [N], on any device
/// @param labels      int64 [N]
/// @param attributes  int64 [N], −1 where not known; or undefined
/// @throws Error if the shapes disagree, N is 0 or an index is out of range
NEURONTUNE_EXPORT SplitMetrics split_metrics(const at::Tensor& predictions,
                                             const at::Tensor& labels, const at::Tensor& attributes,
                                             const GroupSpace& space);

/// The same of predictions with their probabilities.
NEURONTUNE_EXPORT SplitMetrics split_metrics(const ClassPredictions& predictions,
                                             const at::Tensor& labels, const at::Tensor& attributes,
                                             const GroupSpace& space);

}  // namespace neurontune
