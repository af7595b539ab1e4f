#include "neurontune/shortcut/inferred_accuracy.h"

#include <ATen/ATen.h>

#include <string>

#include "base/checks.h"
#include "base/describe.h"
#include "neurontune/base/error.h"
#include "numerics/cross_product.h"

namespace neurontune {
double InferredAccuracy::worst_accuracy() const {
  return accuracy[worst_label][worst_attribute].item<double>();
}
double InferredAccuracy::worst_lower() const {
  return lower[worst_label][worst_attribute].item<double>();
}
double InferredAccuracy::worst_upper() const {
  return upper[worst_label][worst_attribute].item<double>();
}

InferredAccuracy inferred_accuracy(const at::Tensor& predictions, const at::Tensor& labels,
                                   const at::Tensor& beliefs, int64_t classes) {
  check_class_indices(labels, "labels", classes, predictions.size(0));
  if (beliefs.dim() != 2 || beliefs.size(0) != labels.size(0))
    throw Error("beliefs are " + describe(beliefs) + ", expected [" +
                std::to_string(labels.size(0)) + ", A]");
  const auto one_hot = at::one_hot(labels, classes).to(at::kDouble);
  const auto right = predictions.eq(labels).to(at::kDouble).unsqueeze(1);
  const auto believed = beliefs.to(at::kDouble);
  InferredAccuracy result;
  result.samples = cross_product(one_hot, believed).cpu();
  const auto correct = cross_product(one_hot, believed * right).cpu();

  const auto of_class = result.samples.sum(1, /*keepdim=*/true);
  const auto n = result.samples + kPriorSamples;
  // Of the class's groups, each by how much of it is known.
  const auto mean =
      (correct / n).sum(1, /*keepdim=*/true) / (result.samples / n).sum(1, /*keepdim=*/true);
  const double z2 = kQuantile * kQuantile;
  result.accuracy = (correct + mean * kPriorSamples) / n;
  const auto& p = result.accuracy;
  const auto centre = (p + z2 / 2 / n) / (1 + z2 / n);
  const auto radius = (p * (1 - p) / n + z2 / 4 / n.square()).sqrt() * kQuantile / (1 + z2 / n);
  result.lower = (centre - radius).clamp(0, 1);
  result.upper = (centre + radius).clamp(0, 1);

  const auto absent = of_class.le(0).expand_as(n);
  result.accuracy = result.accuracy.masked_fill(absent, 1);
  result.lower = result.lower.masked_fill(absent, 0);
  result.upper = result.upper.masked_fill(absent, 1);
  const auto worst = result.lower.masked_fill(absent, 2).argmin().item<int64_t>();
  result.worst_label = worst / beliefs.size(1);
  result.worst_attribute = worst % beliefs.size(1);
  return result;
}

}  // namespace neurontune
