#include "method/ranked_split.h"

#include <ATen/ATen.h>

#include <limits>

#include "method/medians.h"

namespace neurontune {
namespace {

/// Scores without any sample in them.
SpuriousnessScores empty_scores(const at::Tensor& embeddings, int64_t classes) {
  const auto dtype = embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto options = embeddings.options().dtype(dtype);
  const std::vector<int64_t> shape = {classes, embeddings.size(1)};
  SpuriousnessScores scores;
  scores.scores = at::zeros(shape, options);
  scores.median_correct = at::full(shape, std::numeric_limits<double>::quiet_NaN(), options);
  scores.median_misclassified = scores.median_correct.clone();
  return scores;
}

}  // namespace

RankedSplit::RankedSplit(const LabelledEmbeddings& data, int64_t classes, Activation activation)
    : data_(data), classes_(classes), activation_(activation) {
  if (data.embeddings.is_cpu()) ranked_ = of_classes();
}

std::vector<RankedClass> RankedSplit::of_classes() const {
  if (!ranked_.empty()) return ranked_;
  const auto embeddings = data_.embeddings.cpu(), labels = data_.labels.cpu();
  std::vector<RankedClass> ranked;
  for (int64_t label = 0; label < classes_; ++label) {
    const auto rows = labels.eq(label).nonzero().squeeze(1);
    ranked.push_back({rows, RankedColumns(embeddings, rows, activation_)});
  }
  return ranked;
}

SpuriousnessScores RankedSplit::scores(const at::Tensor& predictions) const {
  auto scores = empty_scores(data_.embeddings, classes_);
  const auto wrong = predictions.ne(data_.labels);
  for (int64_t label = 0; label < classes_; ++label) {
    const auto [medians, correct, misclassified] =
        ranked_.empty() ? straight_medians(label, wrong) : ranked_medians(label, wrong);
    scores.correct.push_back(correct);
    scores.misclassified.push_back(misclassified);
    if (correct > 0) scores.median_correct[label].copy_(medians.of_rest);
    if (misclassified > 0) scores.median_misclassified[label].copy_(medians.of_part);
    if (scores.usable(label))
      scores.scores[label].copy_(scores.median_misclassified[label] - scores.median_correct[label]);
  }
  return scores;
}

RankedSplit::ClassMedians RankedSplit::ranked_medians(int64_t label,
                                                      const at::Tensor& wrong) const {
  const auto& [rows, columns] = ranked_[label];
  const auto mistakes = wrong.index_select(0, rows).nonzero().squeeze(1);
  return {columns.medians(mistakes), rows.numel() - mistakes.numel(), mistakes.numel()};
}

RankedSplit::ClassMedians RankedSplit::straight_medians(int64_t label,
                                                        const at::Tensor& wrong) const {
  const auto of_class = data_.labels.eq(label);
  const auto correct = of_class.logical_and(wrong.logical_not()).nonzero().squeeze(1);
  const auto mistakes = of_class.logical_and(wrong).nonzero().squeeze(1);
  ClassMedians result{{}, correct.numel(), mistakes.numel()};
  if (result.correct > 0)
    result.medians.of_rest = column_medians(data_.embeddings, correct, activation_);
  if (result.misclassified > 0)
    result.medians.of_part = column_medians(data_.embeddings, mistakes, activation_);
  return result;
}

}  // namespace neurontune
