#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <string>
#include <vector>

#include "model/head_layers.h"
#include "model/model_output.h"
#include "neurontune/model/erm_model.h"

namespace neurontune {

/// The head of a module, and what comes before and after it. The graphs take forward's arguments,
/// self first, refer to the module's attributes, and so run with that module as self.
struct FoundHead {
  std::string name;  ///< "fc", "classifier.1"; "constant" in a frozen module
  HeadLayers layers;
  std::string prefix;  ///< of the layers' names within the module: "classifier." or nothing
  OutputPath output;   ///< of the module, where the head's logits end up
  std::shared_ptr<torch::jit::Graph> features;  ///< to the head's input
  std::shared_ptr<torch::jit::Graph> after;  ///< from one more argument, the logits, to the output
};

/// Follows forward from its output back to the linear layer that computes it, or to the submodule
/// that is to be the head.
///
/// @param model what the model is called in messages
/// @throws Error if there is no such head, or other layers share its tensors; the text says what
///         there is, and what to do
FoundHead find_head(const torch::jit::Module& module, const SplitOptions& options,
                    const std::string& model);

}  // namespace neurontune
