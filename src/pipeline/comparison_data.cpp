#include "pipeline/comparison_data.h"

#include <ATen/ATen.h>

#include "neurontune/error.h"
#include "pipeline/open_embeddings.h"

namespace neurontune {

const LabelledEmbeddings& ComparisonData::labelled(const std::string& selector) {
  return on_device(selector).data;
}

GroupedEmbeddings ComparisonData::grouped(const std::string& selector) {
  const auto& split = on_device(selector);
  if (!split.attributes.defined())
    throw Error("the split " + selector + " has no attributes, which this method needs");
  return {split.data, split.attributes};
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
  OnDevice taken{neurontune::on_device(split, device_), split.attributes};
  if (taken.attributes.defined()) taken.attributes = taken.attributes.to(device_);
  return splits_[selector] = std::move(taken);
}

}  // namespace neurontune
