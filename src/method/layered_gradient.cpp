#include "method/layered_gradient.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr int64_t kSamplesPerBlock = 32;

/// The head's parameters as new leaves of an autograd graph: weight, later ones, bias if any.
std::vector<at::Tensor> leaves_of(const Head& head) {
  std::vector<at::Tensor> leaves = {head.weight};
  leaves.insert(leaves.end(), head.later_parameters.begin(), head.later_parameters.end());
  if (head.bias.defined()) leaves.push_back(head.bias);
  for (auto& leaf : leaves) leaf = leaf.detach().requires_grad_();
  return leaves;
}

/// Sums a block's losses, and returns their gradient by the leaves.
std::vector<at::Tensor> block_gradient(const Head& head, const at::Tensor& inputs,
                                       const at::Tensor& labels, const at::Tensor& row_losses) {
  const at::AutoGradMode with_autograd(true);
  const auto leaves = leaves_of(head);
  const auto bias = head.bias.defined() ? leaves.back() : at::Tensor();
  const std::vector<at::Tensor> later(leaves.begin() + 1,
                                      leaves.begin() + 1 + std::ssize(head.later_parameters));
  const auto logits = head.later_layers->forward(at::linear(inputs, leaves[0], bias), later);
  const auto losses = at::cross_entropy_loss(logits, labels, {}, at::Reduction::None);
  row_losses.copy_(losses.detach());
  return torch::autograd::grad({losses.sum()}, leaves, {}, std::nullopt, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

}  // namespace

HeadGradient layered_gradient(const Head& head, const at::Tensor& inputs, const at::Tensor& labels,
                              at::Tensor row_losses) {
  const int64_t batch = inputs.size(0);
  std::map<int64_t, std::vector<at::Tensor>> blocks;  // by first row
  std::mutex mutex;
  for_fixed_blocks(inputs.device(), batch, kSamplesPerBlock, [&](int64_t first, int64_t last) {
    auto gradient = block_gradient(head, inputs.slice(0, first, last), labels.slice(0, first, last),
                                   row_losses.slice(0, first, last));
    const std::lock_guard lock(mutex);
    blocks[first] = std::move(gradient);
  });
  auto sums = leaves_of(head);
  for (auto& sum : sums) sum = at::zeros_like(sum.detach());
  for (const auto& [first, block] : blocks)
    for (std::size_t i = 0; i < block.size(); ++i)
      if (block[i].defined()) sums[i].add_(block[i]);
  for (auto& sum : sums) sum.div_(batch);

  HeadGradient gradient{sums[0], {}, {}};
  if (head.bias.defined()) {
    gradient.bias = sums.back();
    sums.pop_back();
  }
  gradient.later.assign(sums.begin() + 1, sums.end());
  return gradient;
}

}  // namespace neurontune
