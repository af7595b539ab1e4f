#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <string>

namespace neurontune {

/// A tensor of the head, where the module has it.
struct HeadTensor {
  at::Tensor tensor;  ///< the module's own: writing to it changes the model; undefined if none
  std::string name;   ///< the attribute's path ("fc.weight"); empty if a constant or none
};

/// The last linear layer of a module, and all that comes before it.
struct FoundHead {
  std::string name;   ///< "fc", "classifier.1"; "constant" in a frozen model
  HeadTensor weight;  ///< [C, M], or [M, C] if transposed
  HeadTensor bias;    ///< [C], or undefined
  bool transposed = false;
  /// From forward's arguments (self first) to the layer's input. Refers to the module's attributes,
  /// so runs with that module as self.
  std::shared_ptr<torch::jit::Graph> features;

  at::Tensor weight_by_class() const;  ///< [C, M], the module's own memory
};

/// Follows forward from its output back to the linear layer that computes it.
///
/// @param model what the model is called in messages
/// @throws Error if forward does not end in a linear layer with a weight of its own; the text says
///         what it ends in
FoundHead find_head(const torch::jit::Module& module, const std::string& model);

/// The name of another tensor that shares memory with one of the head's, or that the features
/// read; empty if there is none.
std::string shared_with(const FoundHead& head, const torch::jit::Module& module);

}  // namespace neurontune
