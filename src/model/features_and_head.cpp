#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <utility>

#include "base/describe.h"
#include "model/verify.h"
#include "neurontune/base/error.h"
#include "neurontune/model/split_model.h"

namespace neurontune {

FeaturesAndHead::FeaturesAndHead(Features features, Head head, std::string fingerprint)
    : features_(std::move(features)), head_(std::move(head)), fingerprint_(std::move(fingerprint)) {
  check_head(head_, "head");
}

Head FeaturesAndHead::head() const {
  return to(head_, head_.weight.device(), head_.weight.scalar_type());
}

at::Tensor FeaturesAndHead::features(const std::vector<at::Tensor>& inputs) const {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> copies;
  for (const auto& input : inputs)
    copies.push_back(
        input.to(device(), input.scalar_type(), /*non_blocking=*/false, /*copy=*/true));
  auto embedding = features_(copies);
  if (embedding.dim() != 2 || embedding.size(1) != head_.embedding_dim())
    throw Error("the features are " + describe(embedding) + ", the head expects [N, " +
                std::to_string(head_.embedding_dim()) + "]");
  return embedding;
}

SplitVerification FeaturesAndHead::verify(const std::vector<at::Tensor>& inputs) const {
  const auto output = verified_output(
      [&](const auto& tensors) { return logits(head_, features(tensors)); }, inputs, "the model");
  return {0, split_tolerance(output)};
}

}  // namespace neurontune
