#include "neurontune/metrics/split_metrics.h"

#include <ATen/ATen.h>

#include "neurontune/metrics/classification_metrics.h"

namespace neurontune {

SplitMetrics split_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                           const at::Tensor& attributes, const GroupSpace& space) {
  SplitMetrics metrics;
  metrics.accuracy = accuracy_metrics(predictions, labels, space.classes);
  if (any_attribute_known(attributes))
    metrics.groups = group_metrics(predictions, labels, attributes, space.classes,
                                   space.attribute_values, space.train_counts);
  metrics.macro_f1 = macro_f1(predictions, labels, space.classes);
  return metrics;
}

SplitMetrics split_metrics(const ClassPredictions& predictions, const at::Tensor& labels,
                           const at::Tensor& attributes, const GroupSpace& space) {
  auto metrics = split_metrics(predictions.classes, labels, attributes, space);
  metrics.expected_calibration_error =
      expected_calibration_error(predictions.probability, predictions.classes.eq(labels));
  if (predictions.margin.defined()) metrics.auroc = auroc(predictions.margin, labels);
  return metrics;
}

}  // namespace neurontune
