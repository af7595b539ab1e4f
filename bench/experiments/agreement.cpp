#include "agreement.h"

#include <ATen/ATen.h>

namespace neurontune::experiments {
namespace {

/// By place in ascending order: scores are medians of real numbers and hardly ever equal.
at::Tensor ranks(const at::Tensor& values) {
  return at::argsort(at::argsort(values.flatten())).to(at::kDouble);
}

double rank_correlation(const at::Tensor& left, const at::Tensor& right) {
  return at::corrcoef(at::stack({ranks(left), ranks(right)}))[0][1].item<double>();
}

nlohmann::ordered_json ratio(double part, double whole) {
  return whole > 0 ? nlohmann::ordered_json(part / whole) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Flags flag(const at::Tensor& embeddings, const at::Tensor& labels, const at::Tensor& predictions,
           int64_t classes, const IdentificationOptions& options) {
  Flags flags{spuriousness_scores(embeddings, labels, predictions, classes, options.activation),
              {}};
  flags.biased = biased_dimensions(flags.scores, options);
  return flags;
}

nlohmann::ordered_json agreement_json(const Flags& flags, const Flags& reference,
                                      Aggregate aggregate) {
  const at::Tensor left = flags.biased.biased, right = reference.biased.biased;
  const auto count = [](const at::Tensor& flagged) { return flagged.sum().item<double>(); };
  const double common = count(left & right), either = count(left | right);
  const double by_chance = count(left) * count(right) / static_cast<double>(left.numel());
  return {{"biased", flags.biased.count()},
          {"jaccard", ratio(common, either)},
          {"chance_jaccard", ratio(by_chance, count(left) + count(right) - by_chance)},
          {"rank_correlation", rank_correlation(aggregated_scores(flags.scores, aggregate),
                                                aggregated_scores(reference.scores, aggregate))}};
}

}  // namespace neurontune::experiments
