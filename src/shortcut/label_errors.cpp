#include "shortcut/label_errors.h"

#include <ATen/ATen.h>

#include "numerics/cross_product.h"

namespace neurontune {

at::Tensor likely_label_errors(const at::Tensor& probabilities, const at::Tensor& labels) {
  const int64_t classes = probabilities.size(1);
  const auto of_own_class = probabilities.to(at::kDouble).gather(1, labels.unsqueeze(1));
  const auto one_hot = at::one_hot(labels, classes).to(at::kDouble);
  const auto sums = cross_product(one_hot, of_own_class).squeeze(1);
  const auto thresholds = sums / at::bincount(labels, {}, classes);  // not a number where empty
  const auto confident = probabilities.ge(thresholds);
  const auto likeliest = probabilities.masked_fill(confident.logical_not(), -1).argmax(1);
  return confident.any(1).logical_and(likeliest.ne(labels));
}

}  // namespace neurontune
