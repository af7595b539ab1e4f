#include "neurontune/method/spuriousness.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checks.h"
#include "base/describe.h"
#include "base/option_checks.h"
#include "method/flagging.h"
#include "method/ranked_split.h"
#include "neurontune/base/error.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr int64_t kDimensionsAtOnce = 512;

/// The rows of the scores that count.
at::Tensor usable_rows(const SpuriousnessScores& scores) {
  std::vector<int64_t> labels;
  for (int64_t label = 0; label < scores.classes(); ++label)
    if (scores.usable(label)) labels.push_back(label);
  if (labels.empty())
    throw Error(
        "no class has both correct and misclassified samples in the identification split, so "
        "nothing tells biased dimensions apart: use another split or a larger one");
  return at::tensor(labels, at::kLong).to(scores.scores.device());
}

int64_t resolved_keep(const SpuriousnessScores& scores, const IdentificationOptions& options) {
  const int64_t dims = scores.embedding_dim();
  const int64_t keep = options.keep_at_least.value_or(std::max(scores.classes(), dims / 16));
  if (options.keep_at_least && keep > dims)
    throw OptionError("keep_at_least is " + std::to_string(keep) + ", the embedding has " +
                      std::to_string(dims) + " dimensions");
  return std::min(keep, dims);
}

/// Unflags the lowest-scored of a row's flags so that `keep` dimensions are left; whether any was.
bool keep_lowest(const at::Tensor& flags, const at::Tensor& scores, int64_t keep) {
  if (scores.size(0) - flags.sum().item<int64_t>() >= keep) return false;
  const auto order = scores.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
  flags.index_fill_(0, order.slice(0, 0, keep), false);
  return true;
}

/// The scores, lowest of all where they are not significant.
SpuriousnessScores passing(SpuriousnessScores scores, const at::Tensor& significant) {
  scores.scores = scores.scores.masked_fill(significant.logical_not(),
                                            -std::numeric_limits<double>::infinity());
  return scores;
}

/// The quantile of each row, NumPy's `linear`: [1] of [M], [C, 1] of [C, M].
at::Tensor row_quantiles(const at::Tensor& scores, double q) {
  const auto sorted = std::get<0>(scores.sort(-1));
  const double place = q * static_cast<double>(scores.size(-1) - 1);
  const auto lower = static_cast<int64_t>(place);
  const auto upper = std::min(lower + 1, scores.size(-1) - 1);
  return at::lerp(sorted.narrow(-1, lower, 1), sorted.narrow(-1, upper, 1),
                  place - static_cast<double>(lower));
}

}  // namespace

const char* name(Activation activation) {
  switch (activation) {
    case Activation::raw:
      return "raw";
    case Activation::magnitude:
      return "magnitude";
  }
  return "";
}

const char* name(Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::union_:
      return "union";
    case Aggregate::intersection:
      return "intersection";
    case Aggregate::mean:
      return "mean";
    case Aggregate::per_class:
      return "per_class";
  }
  return "";
}

const char* name(Significance significance) {
  switch (significance) {
    case Significance::none:
      return "none";
    case Significance::plain:
      return "plain";
    case Significance::given_margin:
      return "given_margin";
  }
  return "";
}

void IdentificationOptions::validate() const {
  if (!std::isfinite(threshold))
    throw OptionError("threshold is " + describe(threshold) + ", expected a finite number");
  if (threshold_quantile && !(*threshold_quantile >= 0 && *threshold_quantile <= 1))
    throw OptionError("threshold_quantile is " + describe(*threshold_quantile) +
                      ", expected 0 to 1");
  if (keep_at_least && *keep_at_least < 0)
    throw OptionError("keep_at_least is " + std::to_string(*keep_at_least) +
                      ", expected 0 or more");
  if (!(mask_value >= 0 && mask_value <= 1))
    throw OptionError("mask_value is " + describe(mask_value) + ", expected 0 to 1");
  test_options(*this).validate();
}

bool SpuriousnessScores::usable(int64_t label) const {
  return correct[label] > 0 && misclassified[label] > 0;
}

bool SpuriousnessScores::any_usable() const {
  for (int64_t label = 0; label < classes(); ++label)
    if (usable(label)) return true;
  return false;
}

int64_t BiasedDimensions::count() const { return biased.sum().item<int64_t>(); }

SpuriousnessScores spuriousness_scores(const at::Tensor& embeddings, const at::Tensor& labels,
                                       const at::Tensor& predictions, int64_t classes,
                                       Activation activation) {
  check_labelled(embeddings, labels, classes, "the embeddings' split");
  check_class_indices(predictions, "predictions", classes, embeddings.size(0));
  const c10::NoGradGuard no_grad;
  // Ranks of all dimensions at once would take more memory than the embeddings do.
  const int64_t dims = embeddings.size(1), step = embeddings.is_cpu() ? kDimensionsAtOnce : dims;
  SpuriousnessScores result;
  std::vector<at::Tensor> scores, correct, misclassified;
  for (int64_t first = 0; first < dims; first += step) {
    const auto some = embeddings.slice(1, first, std::min(first + step, dims));
    result = RankedSplit({some, labels}, classes, activation).scores(predictions);
    scores.push_back(result.scores);
    correct.push_back(result.median_correct);
    misclassified.push_back(result.median_misclassified);
  }
  result.scores = at::cat(scores, 1);
  result.median_correct = at::cat(correct, 1);
  result.median_misclassified = at::cat(misclassified, 1);
  return result;
}

std::optional<double> spuriousness_fitness(const SpuriousnessScores& scores) {
  if (!scores.any_usable()) return std::nullopt;
  // A row at a time, then the rows in order.
  at::Tensor of_class;
  on_one_thread(scores.scores.device(), [&] {
    of_class = scores.scores.abs().sum({1}, /*keepdim=*/false, at::kDouble).cpu();
  });
  double sum = 0;
  for (int64_t label = 0; label < scores.classes(); ++label)
    sum += of_class.const_data_ptr<double>()[label];
  return sum;
}

at::Tensor aggregated_scores(const SpuriousnessScores& scores, Aggregate aggregate) {
  const auto rows = usable_rows(scores);
  if (aggregate == Aggregate::per_class) return scores.scores;
  const auto usable = scores.scores.index_select(0, rows);
  if (aggregate == Aggregate::union_) return usable.amax(0);
  if (aggregate == Aggregate::intersection) return usable.amin(0);
  at::Tensor mean;
  on_one_thread(usable.device(), [&] { mean = usable.mean(0); });
  return mean;
}

BiasedDimensions biased_dimensions(const SpuriousnessScores& scores,
                                   const IdentificationOptions& options,
                                   const at::Tensor& significant) {
  options.validate();
  const auto all = aggregated_scores(scores, options.aggregate);
  const auto aggregated = significant.defined()
                              ? aggregated_scores(passing(scores, significant), options.aggregate)
                              : all;
  const int64_t keep = resolved_keep(scores, options);

  BiasedDimensions result;
  result.biased = options.threshold_quantile
                      ? aggregated.gt(row_quantiles(all, *options.threshold_quantile))
                      : aggregated.gt(options.threshold);
  if (options.aggregate == Aggregate::per_class) {
    for (int64_t label = 0; label < scores.classes(); ++label) {
      // An unusable class masks nothing, whatever the threshold.
      if (!scores.usable(label)) result.biased[label].fill_(false);
      result.keep_at_least_binds |= keep_lowest(result.biased[label], aggregated[label], keep);
    }
  } else {
    result.keep_at_least_binds = keep_lowest(result.biased, aggregated, keep);
  }

  // With a mask value over 0 even the dimensions flagged are still trained.
  if (options.mask_value == 0 && result.biased.all(-1).any().item<bool>())
    throw Error("every one of the " + std::to_string(scores.embedding_dim()) +
                " dimensions is flagged as biased, so nothing is left to retrain: raise threshold "
                "(now " +
                describe(options.threshold) +
                "), set keep_at_least over 0, or use another aggregate than " +
                name(options.aggregate));
  const auto ones = at::ones(result.biased.sizes(), scores.scores.options());
  result.mask = ones.masked_fill(result.biased, options.mask_value);
  return result;
}

}  // namespace neurontune
