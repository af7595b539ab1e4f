#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace neurontune {

/// A copy of a features graph with the module's tensors as constants: batch norms are folded into
/// the convolutions before them, and convolutions' weights lie channels last. The numbers may
/// differ in their last digits.
///
/// @return null where the graph changes the module, so that its tensors are no constants
std::shared_ptr<torch::jit::Graph> frozen_features(const torch::jit::Graph& features,
                                                   const torch::jit::Module& module);

}  // namespace neurontune
