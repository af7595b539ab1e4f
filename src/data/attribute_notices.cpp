#include "data/attribute_notices.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "base/lower_case.h"
#include "io/csv.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {
namespace {

constexpr std::size_t kLettersPerSlip = 4;  // a name of eight letters may have two wrong
constexpr std::size_t kMostSlips = 2;

/// Of a split whose attributes are known for some samples only; "" of another.
std::string notice_of_gaps(const SplitAttributes& split) {
  const auto& [name, attributes] = split;
  const int64_t samples = attributes.size(0);
  const auto unknown = attributes.eq(kUnknownAttribute).sum().item<int64_t>();
  if (unknown == 0) return "";
  return name + ": the attribute of " + std::to_string(unknown) + " of " + std::to_string(samples) +
         (samples == 1 ? " sample" : " samples") + " is not known; group figures are of the others";
}

std::string notice_of_none(const std::string& split, const std::vector<std::string>& others) {
  return split + " has no attributes, unlike " + listed(others) +
         ": there are no group figures of it" +
         (split == "train" ? ", and no adjusted mean accuracy, which weighs groups as train does"
                           : "");
}

}  // namespace

std::vector<std::string> attribute_notices(const std::vector<SplitAttributes>& splits) {
  std::vector<std::string> notices, having;
  for (const auto& [name, attributes] : splits)
    if (any_attribute_known(attributes)) having.push_back(name);
  if (having.empty()) return notices;
  for (const auto& split : splits) {
    auto notice = any_attribute_known(split.second) ? notice_of_gaps(split)
                                                    : notice_of_none(split.first, having);
    if (!notice.empty()) notices.push_back(std::move(notice));
  }
  return notices;
}

std::vector<std::string> misspelt(const std::string& what, const std::vector<std::string>& found,
                                  const std::vector<std::string>& expected) {
  std::vector<std::string> notices;
  if (expected.empty()) return notices;
  for (const auto& name : found) {
    const auto lower = in_lower_case(name);
    for (const auto& candidate : expected) {
      const auto slips =
          std::min(kMostSlips, std::min(name.size(), candidate.size()) / kLettersPerSlip);
      if (edit_distance(lower, in_lower_case(candidate)) > slips) continue;
      notices.push_back("has " + what + " " + shown_cell(name) + ", did you mean " + candidate +
                        "?");
      break;
    }
  }
  return notices;
}

}  // namespace neurontune
