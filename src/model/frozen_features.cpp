#include "model/frozen_features.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>

#include <optional>

#include "model/graph_walk.h"

namespace neurontune {
namespace {

using torch::jit::Graph;
using torch::jit::Module;
using torch::jit::Node;

bool changes_the_module(Graph& graph) {
  bool changes = false;
  for_each_node(graph.block(),
                [&](const Node* node) { changes = changes || node->kind() == c10::prim::SetAttr; });
  return changes;
}

void attributes_to_constants(Graph& graph, const Module& module) {
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::GetAttr) return;
    const auto known = resolve(node->output(), module);
    if (!known || known->value.isObject()) return;
    replace_by_constant(node, known->value.isTensor()
                                  ? c10::IValue(known->value.toTensor().detach())
                                  : known->value);
  });
}

void weights_to_channels_last(Graph& graph) {
  for_each_node(graph.block(), [](Node* node) {
    if (node->kind() != c10::aten::conv2d && node->kind() != c10::aten::_convolution) return;
    const auto weight = torch::jit::toIValue(node->input(1));
    if (!weight || !weight->isTensor() || weight->toTensor().dim() != 4) return;
    torch::jit::WithInsertPoint before(node);
    node->replaceInput(1, node->owningGraph()->insertConstant(
                              weight->toTensor().contiguous(at::MemoryFormat::ChannelsLast)));
  });
}

}  // namespace

std::shared_ptr<Graph> frozen_features(const Graph& features, const Module& module) {
  auto graph = const_cast<Graph&>(features).copy();  // NOLINT: copy() should be const
  if (changes_the_module(*graph)) return nullptr;
  attributes_to_constants(*graph, module);
  torch::jit::ConstantPropagation(graph);
  torch::jit::OptimizeFrozenGraph(graph, /*optimize_numerics=*/true);
  weights_to_channels_last(*graph);
  torch::jit::EliminateDeadCode(graph);
  return graph;
}

}  // namespace neurontune
