#include "neurontune/metrics/group_accuracy.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "checks.h"
#include "describe.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

int64_t checked_samples(const at::Tensor& predictions) {
  if (predictions.dim() != 1 || predictions.size(0) == 0)
    throw Error("predictions are " + describe(predictions) + ", expected [N] with N at least 1");
  return predictions.size(0);
}

/// How many samples each of `cells` has, and how many of those are right: int64 [cells] each.
struct CellCounts {
  at::Tensor samples, right;
};

CellCounts count_cells(const at::Tensor& cells, const at::Tensor& right, int64_t cell_count) {
  const auto host = cells.cpu();
  return {at::bincount(host, {}, cell_count),
          at::bincount(host.masked_select(right.cpu()), {}, cell_count)};
}

double ratio(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

AccuracyMetrics accuracy_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                                 int64_t classes) {
  const int64_t samples = checked_samples(predictions);
  check_class_indices(labels, "labels", classes, samples);
  const auto counts = count_cells(labels, predictions.eq(labels), classes);
  const auto in_class = counts.samples.accessor<int64_t, 1>();
  const auto right = counts.right.accessor<int64_t, 1>();

  AccuracyMetrics metrics;
  metrics.samples = samples;
  metrics.worst_class_accuracy = 1;
  int64_t all_right = 0, present = 0;
  double sum = 0;
  for (int64_t label = 0; label < classes; ++label) {
    if (in_class[label] == 0) {
      metrics.class_accuracy.emplace_back();
      continue;
    }
    const double accuracy = ratio(right[label], in_class[label]);
    metrics.class_accuracy.emplace_back(accuracy);
    metrics.worst_class_accuracy = std::min(metrics.worst_class_accuracy, accuracy);
    all_right += right[label];
    sum += accuracy;
    ++present;
  }
  metrics.mean_accuracy = ratio(all_right, samples);
  metrics.balanced_accuracy = sum / static_cast<double>(present);
  return metrics;
}

at::Tensor group_counts(const at::Tensor& labels, const at::Tensor& attributes, int64_t classes,
                        int64_t attribute_values) {
  check_class_indices(labels, "labels", classes, labels.size(0));
  check_class_indices(attributes, "attributes", attribute_values, labels.size(0));
  return at::bincount((labels * attribute_values + attributes).cpu(), {},
                      classes * attribute_values);
}

GroupMetrics group_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                           const at::Tensor& attributes, int64_t classes, int64_t attribute_values,
                           const at::Tensor& train_counts) {
  const int64_t samples = checked_samples(predictions);
  check_class_indices(labels, "labels", classes, samples);
  check_class_indices(attributes, "attributes", attribute_values, samples);
  const int64_t group_count = classes * attribute_values;
  const auto counts =
      count_cells(labels * attribute_values + attributes, predictions.eq(labels), group_count);
  const auto in_group = counts.samples.accessor<int64_t, 1>();
  const auto right = counts.right.accessor<int64_t, 1>();

  GroupMetrics metrics;
  double weighted = 0;
  int64_t weights = 0;
  for (int64_t group = 0; group < group_count; ++group) {
    if (in_group[group] == 0) continue;
    const double accuracy = ratio(right[group], in_group[group]);
    if (metrics.groups.empty() || accuracy < metrics.worst_group_accuracy) {
      metrics.worst_group_accuracy = accuracy;
      metrics.worst_group = metrics.groups.size();
    }
    metrics.groups.push_back(
        {group / attribute_values, group % attribute_values, in_group[group], accuracy});
    if (train_counts.defined()) {
      const auto weight = train_counts[group].item<int64_t>();
      weighted += static_cast<double>(weight) * accuracy;
      weights += weight;
    }
  }
  if (weights > 0) metrics.adjusted_mean_accuracy = weighted / static_cast<double>(weights);
  return metrics;
}

}  // namespace neurontune
