#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// What stands for the attribute of a sample whose attribute is not known.
inline constexpr int64_t kUnknownAttribute = -1;

/// Whether any of the attributes is known. Undefined ones are not.
NEURONTUNE_EXPORT bool any_attribute_known(const at::Tensor& attributes);

/// Accuracy over all samples and over classes; fractions in [0, 1].
struct AccuracyMetrics {
  int64_t samples = 0;                                ///< in all
  double mean_accuracy = 0;                           ///< over all samples
  std::vector<std::optional<double>> class_accuracy;  ///< [C]; none for an absent class
  double balanced_accuracy = 0;                       ///< mean over the classes present
  double worst_class_accuracy = 0;                    ///< minimum over the classes present
};

/// Accuracy of the samples that share a label and an attribute.
struct GroupAccuracy {
  int64_t label = 0;      ///< of its samples
  int64_t attribute = 0;  ///< of its samples
  int64_t count = 0;      ///< samples, at least 1
  double accuracy = 0;    ///< in [0, 1]
};

/// Accuracy over groups of the same label and attribute. Samples of unknown attribute are in none.
struct GroupMetrics {
  std::vector<GroupAccuracy> groups;  ///< those present, by label, then attribute
  double worst_group_accuracy = 0;    ///< minimum over the groups present
  std::size_t worst_group = 0;        ///< index into `groups`; of equals the first
  /// Mean over groups weighted by their share of the training split; those absent from it weigh 0.
  /// None where the training groups are not known or share none with this split.
  std::optional<double> adjusted_mean_accuracy;
  int64_t unknown = 0;  ///< samples left out, since their attribute is not known
};

/// The samples of each group present, by label and attribute.
using GroupCounts = std::map<std::pair<int64_t, int64_t>, int64_t>;

/// @param predictions int64 [N], on any device
/// @param labels      int64 [N], in 0…C−1
/// @param classes     C
/// @throws Error if the shapes disagree, N is 0 or a label is out of range
NEURONTUNE_EXPORT AccuracyMetrics accuracy_metrics(const at::Tensor& predictions,
                                                   const at::Tensor& labels, int64_t classes);

/// Samples of each group present; the memory it takes does not depend on C or A.
/// @param labels     int64 [N], in 0…C−1, on any device
/// @param attributes int64 [N], in 0…A−1, or −1 where not known
NEURONTUNE_EXPORT GroupCounts group_counts(const at::Tensor& labels, const at::Tensor& attributes,
                                           int64_t classes, int64_t attribute_values);

/// @param predictions   int64 [N], on any device
/// @param labels        int64 [N], in 0…C−1
/// @param attributes    int64 [N], in 0…A−1, or −1 where not known; at least one is known
/// @param classes       C
/// @param attribute_values  A, counted over all splits
/// @param train_counts  `group_counts` of the training split; empty where they are not known
/// @throws Error if the shapes disagree, no attribute is known or a label or attribute is out of
///         range
NEURONTUNE_EXPORT GroupMetrics group_metrics(const at::Tensor& predictions,
                                             const at::Tensor& labels, const at::Tensor& attributes,
                                             int64_t classes, int64_t attribute_values,
                                             const GroupCounts& train_counts = {});

}  // namespace neurontune
