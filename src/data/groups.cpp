#include "data/groups.h"

#include <ATen/ATen.h>

#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

int64_t attributes_of_groups(const std::string& where, const std::vector<GroupedSample>& samples,
                             const std::function<std::string(std::size_t)>& describe) {
  int64_t attributes = 1;
  std::size_t widest = 0;  // the sample that makes A as large as it is
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const auto [label, group] = samples[index];
    if (group == kUnknownAttribute) continue;
    const int64_t needed = group / (label + 1) + 1;  // group < (y + 1) · A
    if (needed <= attributes) continue;
    attributes = needed;
    widest = index;
  }
  const auto described = [&](std::size_t index) {
    return describe(index) + " (label " + std::to_string(samples[index].label) + ", group " +
           std::to_string(samples[index].group) + ")";
  };
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const auto [label, group] = samples[index];
    if (group == kUnknownAttribute || group / attributes == label) continue;
    throw Error(where + ": " + described(index) + " contradicts " + described(widest) +
                ": group should be label * A + attribute, and the latter needs A of at least " +
                std::to_string(attributes));
  }
  return attributes;
}

std::vector<at::Tensor> attributes_of_groups(const std::string& where,
                                             const std::vector<GroupedSplit>& splits) {
  std::vector<GroupedSample> samples;
  for (const GroupedSplit& split : splits) {
    const auto *label = split.labels.const_data_ptr<int64_t>(),
               *group = split.groups.const_data_ptr<int64_t>();
    for (int64_t row = 0; row < split.labels.size(0); ++row) {
      samples.push_back({label[row], group[row]});
    }
  }
  const auto describe = [&](std::size_t index) {
    auto row = static_cast<int64_t>(index);
    auto split = splits.begin();
    for (; row >= split->labels.size(0); ++split) row -= split->labels.size(0);
    return split->file + " row " + std::to_string(row);
  };
  const int64_t attributes = attributes_of_groups(where, samples, describe);
  std::vector<at::Tensor> result;
  for (const GroupedSplit& split : splits) {
    const at::Tensor unknown = split.groups.eq(kUnknownAttribute);
    result.push_back(split.groups.remainder(attributes).masked_fill(unknown, kUnknownAttribute));
  }
  return result;
}

}  // namespace neurontune
