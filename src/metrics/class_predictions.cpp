#include "neurontune/metrics/class_predictions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>

#include "base/describe.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr int64_t kRowsAtOnce = 4096;  // bounds what float64 copies of the logits take

/// float64 [n], on the CPU: 1 / Σ exp(logit − largest).
at::Tensor largest_softmax(const at::Tensor& logits) {
  const auto wide = logits.to(at::kDouble);
  return (wide - wide.amax(1, /*keepdim=*/true)).exp().sum(1).reciprocal().cpu();
}

/// The same change of each tensor that is there.
ClassPredictions each(const std::function<at::Tensor(at::Tensor ClassPredictions::*)>& change,
                      bool has_margin) {
  return {change(&ClassPredictions::classes), change(&ClassPredictions::probability),
          has_margin ? change(&ClassPredictions::margin) : at::Tensor()};
}

}  // namespace

ClassPredictions ClassPredictions::rows(const at::Tensor& indices) const {
  return each([&](auto field) { return (this->*field).index_select(0, indices); },
              margin.defined());
}

ClassPredictions class_predictions(const at::Tensor& logits) {
  if (logits.dim() != 2 || logits.numel() == 0)
    throw Error("logits are " + describe(logits) + ", expected [N, C] with both at least 1");
  std::vector<at::Tensor> probability;
  for (int64_t first = 0; first < logits.size(0); first += kRowsAtOnce)
    probability.push_back(
        largest_softmax(logits.narrow(0, first, std::min(kRowsAtOnce, logits.size(0) - first))));
  ClassPredictions predicted{logits.argmax(1).cpu(), at::cat(probability), {}};
  if (logits.size(1) == 2) {
    const auto wide = logits.to(at::kDouble);
    predicted.margin = (wide.select(1, 1) - wide.select(1, 0)).cpu();
  }
  return predicted;
}

ClassPredictions joined(const std::vector<ClassPredictions>& batches) {
  const auto one_after_the_other = [&](auto field) {
    std::vector<at::Tensor> parts;
    for (const auto& batch : batches) parts.push_back(batch.*field);
    return at::cat(parts);
  };
  return each(one_after_the_other, batches.front().margin.defined());
}

}  // namespace neurontune
