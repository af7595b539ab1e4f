#include "method/ranked_split.h"

#include <ATen/ATen.h>

#include <limits>

#include "base/computing_type.h"

namespace neurontune {
namespace {

/// Scores without any sample in them.
SpuriousnessScores empty_scores(const at::Tensor& embeddings, int64_t classes) {
  const auto dtype = computing_type(embeddings);
  const auto options = embeddings.options().dtype(dtype);
  const std::vector<int64_t> shape = {classes, embeddings.size(1)};
  SpuriousnessScores scores;
  scores.scores = at::zeros(shape, options);
  scores.median_correct = at::full(shape, std::numeric_limits<double>::quiet_NaN(), options);
  scores.median_misclassified = scores.median_correct.clone();
  return scores;
}

}  // namespace

RankedSplit::RankedSplit(const LabelledEmbeddings& data, int64_t classes, Activation activation,
                         bool sorted)
    : data_(data), classes_(classes) {
  for (int64_t label = 0; label < classes; ++label) {
    rows_.push_back(data.labels.eq(label).nonzero().squeeze(1));
    if (sorted)
      sorted_.emplace_back(data.embeddings, rows_.back(), activation);
    else
      ranked_.emplace_back(data.embeddings, rows_.back(), activation);
  }
}

RankedSplit::RankedSplit(const LabelledEmbeddings& data, int64_t classes, Activation activation)
    : RankedSplit(data, classes, activation, /*sorted=*/!data.embeddings.is_cpu()) {}

void RankedSplit::for_each_column(
    int64_t label,
    const std::function<void(int64_t column, const RankedColumns::Order& order)>& work) const {
  if (sorted_.empty())
    ranked_[label].for_each_column(work);
  else
    sorted_[label].for_each_column(work);
}

RankedColumns::Medians RankedSplit::medians(int64_t label, const at::Tensor& part) const {
  return sorted_.empty() ? ranked_[label].medians(part) : sorted_[label].medians(part);
}

SpuriousnessScores RankedSplit::scores(const at::Tensor& predictions) const {
  auto scores = empty_scores(data_.embeddings, classes_);
  const auto wrong = predictions.ne(data_.labels);
  for (int64_t label = 0; label < classes_; ++label) {
    const auto mistakes = wrong.index_select(0, rows_[label]).nonzero().squeeze(1);
    const auto found = medians(label, mistakes);
    scores.misclassified.push_back(mistakes.numel());
    scores.correct.push_back(rows_[label].numel() - mistakes.numel());
    if (found.of_rest.defined()) scores.median_correct[label].copy_(found.of_rest);
    if (found.of_part.defined()) scores.median_misclassified[label].copy_(found.of_part);
    if (scores.usable(label))
      scores.scores[label].copy_(scores.median_misclassified[label] - scores.median_correct[label]);
  }
  return scores;
}

}  // namespace neurontune
