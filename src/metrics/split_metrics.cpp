#include "neurontune/metrics/split_metrics.h"

namespace neurontune {

SplitMetrics split_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                           const at::Tensor& attributes, const GroupSpace& space) {
  SplitMetrics metrics;
  metrics.accuracy = accuracy_metrics(predictions, labels, space.classes);
  if (any_attribute_known(attributes))
    metrics.groups = group_metrics(predictions, labels, attributes, space.classes,
                                   space.attribute_values, space.train_counts);
  return metrics;
}

}  // namespace neurontune
