#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <string>
#include <vector>

namespace neurontune {

/// A linear layer in a graph: input · weightᵀ + bias, or input · weight + bias if transposed.
struct LinearLayer {
  torch::jit::Value* input = nullptr;
  torch::jit::Value* weight = nullptr;
  torch::jit::Value* bias = nullptr;  ///< none where null
  bool transposed = false;
  torch::jit::Value* output = nullptr;
};

/// The linear layer that computes `output`, in any of the ways in which exports spell one.
std::optional<LinearLayer> match_linear(torch::jit::Value* output);

/// The steps that a layer consists of.
std::vector<torch::jit::Node*> nodes_of(const LinearLayer& layer);

/// The last linear layer before `output`, if only steps that can keep the order of the classes come
/// after it: softmax, log_softmax, sigmoid, log, exp, a positive factor, changes of shape and
/// dtype.
struct LastLinear {
  std::optional<LinearLayer> layer;
  bool changed = false;  ///< whether a step in place, beside these, changes what it gives
};
LastLinear last_linear(torch::jit::Value* output, const torch::jit::Module& module);

/// Whether only such steps lead from `logits` to `output`.
bool keeps_order(const torch::jit::Value* logits, torch::jit::Value* output,
                 const torch::jit::Module& module);

/// Whether a node, in evaluation mode, passes its first input on unchanged.
bool is_identity(const torch::jit::Node* node);

/// The steps that end in `output`, for a message about a model without a head.
std::string last_steps(const torch::jit::Value* output);

}  // namespace neurontune
