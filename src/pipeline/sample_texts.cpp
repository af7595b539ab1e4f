#include "pipeline/sample_texts.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/tensor_values.h"

namespace neurontune {
namespace {

/// The tensor of a name in a batch of one sample, without the batch's dimension; undefined where
/// there is none of that name.
at::Tensor named(const Dataset& dataset, const std::vector<at::Tensor>& batch,
                 const std::string& name) {
  const auto names = dataset.input_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return {};
  return batch.at(static_cast<std::size_t>(found - names.begin())).select(0, 0);
}

/// The numbers of a sample's tokens, without those that the mask leaves out: of Hugging Face's
/// `input_ids` and `attention_mask`, or of the two in one tensor `inputs`, [L, 3]. Empty where it
/// has none of these.
std::vector<int64_t> tokens_of(const Dataset& dataset, int64_t sample) {
  const auto batch = dataset.batch(sample, sample + 1);
  auto tokens = named(dataset, batch, "input_ids");
  auto mask = named(dataset, batch, "attention_mask");
  if (const auto both = named(dataset, batch, "inputs");
      both.defined() && both.dim() == 2 && both.size(1) == 3) {
    tokens = both.select(1, 0);
    mask = both.select(1, 1);
  }
  if (!tokens.defined() || tokens.dim() != 1 || at::isFloatingType(tokens.scalar_type())) return {};
  if (mask.defined() && mask.sizes() == tokens.sizes()) tokens = tokens.masked_select(mask.ne(0));
  return values_of<int64_t>(tokens);
}

}  // namespace

SampleTexts::SampleTexts(const Dataset* dataset, const std::optional<Vocabulary>& vocabulary) {
  if (dataset == nullptr || !vocabulary || tokens_of(*dataset, 0).empty()) return;
  dataset_ = dataset;
  vocabulary_ = &*vocabulary;
}

std::string SampleTexts::of(int64_t sample) const {
  return dataset_ == nullptr ? "" : vocabulary_->text(tokens_of(*dataset_, sample));
}

}  // namespace neurontune
