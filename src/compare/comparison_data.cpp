#include "compare/comparison_data.h"

#include <ATen/ATen.h>

#include "core/stratified_folds.h"
#include "neurontune/base/error.h"
#include "pipeline/open_embeddings.h"

namespace neurontune {

const LabelledEmbeddings& ComparisonData::labelled(const std::string& selector) {
  return on_device(selector).data;
}

GroupedEmbeddings ComparisonData::grouped(const std::string& selector,
                                          std::vector<std::string>& warnings) {
  const auto& split = on_device(selector);
  if (!split.attributes.defined())
    throw Error("the split " + selector + " has no attributes, which this method needs");
  const auto known = split.attributes.ge(0).nonzero().squeeze(1);
  const int64_t samples = split.attributes.size(0);
  if (known.size(0) == samples) return {split.data, split.attributes};
  warnings.push_back(selector + ": " + std::to_string(known.size(0)) + " of " +
                     std::to_string(samples) +
                     " samples have a known attribute; only these are used");
  return {at_rows(split.data, known), split.attributes.index_select(0, known)};
}

void check_seeds(int64_t seeds) {
  constexpr int64_t kMost = 10000;
  if (seeds < 1 || seeds > kMost)
    throw OptionError("seeds is " + std::to_string(seeds) + ", expected 1 to " +
                      std::to_string(kMost));
}

const ComparisonData::OnDevice& ComparisonData::on_device(const std::string& selector) {
  const auto found = splits_.find(selector);
  if (found != splits_.end()) return found->second;
  const auto split = folder_.select(SplitSelector::parse(selector));
  OnDevice taken{neurontune::labelled(split), split.attributes};
  if (taken.attributes.defined())
    taken.attributes = taken.attributes.to(taken.data.labels.device());
  return splits_[selector] = std::move(taken);
}

}  // namespace neurontune
