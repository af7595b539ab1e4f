#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <optional>
#include <vector>

namespace neurontune {

/// What a module's forward computes in evaluation mode, as one graph.
struct ForwardGraph {
  std::shared_ptr<torch::jit::Graph> graph;  ///< all calls inlined but these
  std::vector<torch::jit::Node*> calls;      ///< of the submodule that was to be kept whole
};

/// @param kept a submodule whose calls are not inlined, if any
ForwardGraph forward_graph(const torch::jit::Module& module,
                           const std::optional<torch::jit::Module>& kept = std::nullopt);

}  // namespace neurontune
