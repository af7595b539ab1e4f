#include "neurontune/metrics/group_accuracy.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/checks.h"
#include "base/describe.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

int64_t checked_samples(const at::Tensor& predictions) {
  if (predictions.dim() != 1 || predictions.size(0) == 0)
    throw Error("predictions are " + describe(predictions) + ", expected [N] with N at least 1");
  return predictions.size(0);
}

void check_attributes(const at::Tensor& attributes, int64_t attribute_values, int64_t samples) {
  check_class_indices(attributes.masked_fill(attributes.eq(kUnknownAttribute), 0), "attributes",
                      attribute_values, samples);
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

struct Tally {
  int64_t samples = 0, right = 0;
};

using Group = std::pair<int64_t, int64_t>;  // label, attribute

/// The groups present, in order. Sorted instead of counted in a table of C · A cells: an attribute
/// may be any number, such as an identifier.
std::vector<std::pair<Group, Tally>> tallies(const at::Tensor& labels, const at::Tensor& attributes,
                                             const at::Tensor& right, int64_t classes,
                                             int64_t attribute_values) {
  check_class_indices(labels, "labels", classes, labels.size(0));
  check_attributes(attributes, attribute_values, labels.size(0));
  const auto known = attributes.ge(0);
  const auto rows = at::stack({labels.masked_select(known), attributes.masked_select(known),
                               right.masked_select(known).to(at::kLong)},
                              1)
                        .cpu();
  const auto row = rows.accessor<int64_t, 2>();
  std::vector<std::pair<Group, int64_t>> samples;
  for (int64_t i = 0; i < rows.size(0); ++i) samples.push_back({{row[i][0], row[i][1]}, row[i][2]});
  std::sort(samples.begin(), samples.end());
  std::vector<std::pair<Group, Tally>> found;
  for (const auto& [group, is_right] : samples) {
    if (found.empty() || found.back().first != group) found.push_back({group, {}});
    ++found.back().second.samples;
    found.back().second.right += is_right;
  }
  return found;
}

}  // namespace

bool any_attribute_known(const at::Tensor& attributes) {
  return attributes.defined() && attributes.ge(0).any().item<bool>();
}

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

GroupCounts group_counts(const at::Tensor& labels, const at::Tensor& attributes, int64_t classes,
                         int64_t attribute_values) {
  GroupCounts counts;
  for (const auto& [group, tally] :
       tallies(labels, attributes, at::ones_like(labels, at::kBool), classes, attribute_values))
    counts.emplace_hint(counts.end(), group, tally.samples);
  return counts;
}

GroupMetrics group_metrics(const at::Tensor& predictions, const at::Tensor& labels,
                           const at::Tensor& attributes, int64_t classes, int64_t attribute_values,
                           const GroupCounts& train_counts) {
  GroupMetrics metrics;
  metrics.unknown = checked_samples(predictions);  // less those that are in a group
  check_class_indices(labels, "labels", classes, metrics.unknown);
  double weighted = 0;
  int64_t weights = 0;
  for (const auto& [group, tally] :
       tallies(labels, attributes, predictions.eq(labels), classes, attribute_values)) {
    const double accuracy = ratio(tally.right, tally.samples);
    if (metrics.groups.empty() || accuracy < metrics.worst_group_accuracy) {
      metrics.worst_group_accuracy = accuracy;
      metrics.worst_group = metrics.groups.size();
    }
    metrics.groups.push_back({group.first, group.second, tally.samples, accuracy});
    metrics.unknown -= tally.samples;
    if (const auto trained = train_counts.find(group); trained != train_counts.end()) {
      weighted += static_cast<double>(trained->second) * accuracy;
      weights += trained->second;
    }
  }
  if (metrics.groups.empty())
    throw Error("attributes are all unknown, expected at least one known");
  if (weights > 0) metrics.adjusted_mean_accuracy = weighted / static_cast<double>(weights);
  return metrics;
}

}  // namespace neurontune
