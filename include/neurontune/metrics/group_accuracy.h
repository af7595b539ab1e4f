#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace neurontune {

/// Accuracy over all samples and over classes; fractions in [0, 1].
struct AccuracyMetrics {
  int64_t samples = 0;
  double mean_accuracy = 0;
  std::vector<std::optional<double>> class_accuracy;  ///< [C]; none for an absent class
  double balanced_accuracy = 0;                       ///< mean over the classes present
  double worst_class_accuracy = 0;                    ///< minimum over the classes present
};

/// Accuracy of the samples that share a label and an attribute.
struct GroupAccuracy {
  int64_t label = 0;
  int64_t attribute = 0;
  int64_t count = 0;    ///< samples, at least 1
  double accuracy = 0;  ///< in [0, 1]
};

/// Accuracy over groups g = label · A + attribute.
struct GroupMetrics {
  std::vector<GroupAccuracy> groups;  ///< those present, in the order of g
  double worst_group_accuracy = 0;    ///< minimum over the groups present
  std::size_t worst_group = 0;        ///< index into `groups`; of equals the first
  /// Mean over groups weighted by their share of the training split; those absent from it weigh 0.
  /// None where the training groups are not known or share none with this split.
  std::optional<double> adjusted_mean_accuracy;
};

/// @param predictions int64 [N], on any device
/// @param labels      int64 [N], in 0…C−1
/// @param classes     C
/// @throws Error if the shapes disagree, N is 0 or a label is out of range
AccuracyMetrics accuracy_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                                 int64_t classes);

/// Samples of each group: int64 [C · A] on the CPU.
/// @param labels     int64 [N], in 0…C−1, on any device
/// @param attributes int64 [N], in 0…A−1
at::Tensor group_counts(const at::Tensor& labels, const at::Tensor& attributes, int64_t classes,
                        int64_t attribute_values);

/// @param predictions   int64 [N], on any device
/// @param labels        int64 [N], in 0…C−1
/// @param attributes    int64 [N], in 0…A−1
/// @param classes       C
/// @param attribute_values  A, counted over all splits
/// @param train_counts  int64 [C · A] from `group_counts` of the training split, or undefined
/// @throws Error if the shapes disagree, N is 0 or a label or attribute is out of range
GroupMetrics group_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                           const at::Tensor& attributes, int64_t classes, int64_t attribute_values,
                           const at::Tensor& train_counts = {});

}  // namespace neurontune
