#include "model/placement.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <optional>
#include <vector>

#include "model/graph_walk.h"

namespace neurontune {
namespace {

using torch::jit::Graph;
using torch::jit::Module;
using torch::jit::Node;

std::vector<std::shared_ptr<Graph>> graphs_of(const Module& module) {
  std::vector<std::shared_ptr<Graph>> graphs;
  for (auto* function : module._ivalue()->compilation_unit()->get_functions())
    if (auto* described = torch::jit::tryToGraphFunction(*function))
      graphs.push_back(described->graph());
  return graphs;
}

std::optional<at::Device> device_named_by(const Node* node) {
  if (node->kind() != c10::prim::Constant) return std::nullopt;
  const auto value = torch::jit::toIValue(node->output());
  if (!value || !value->isDevice()) return std::nullopt;
  return value->toDevice();
}

void move_constants(Graph& graph, at::Device device) {
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::Constant) return;
    const auto value = torch::jit::toIValue(node->output());
    if (!value || !value->isTensor() || !value->toTensor().defined()) return;
    if (value->toTensor().device() != device)
      replace_by_constant(node, value->toTensor().to(device));
  });
}

}  // namespace

bool rename_devices(Module& module, at::Device device) {
  const auto graphs = graphs_of(module);
  bool names_cuda = false, renamed = false;
  for (const auto& graph : graphs)
    for_each_node(graph->block(), [&](const Node* node) {
      const auto named = device_named_by(node);
      names_cuda = names_cuda || (named && named->is_cuda());
    });
  for (const auto& graph : graphs) {
    for_each_node(graph->block(), [&](Node* node) {
      const auto named = device_named_by(node);
      const bool meant = named && named->is_cpu() && names_cuda && !device.is_cpu();
      if (!named || *named == device || meant) return;
      replace_by_constant(node, device);
      renamed = true;
    });
    torch::jit::EliminateDeadCode(graph);  // the constants replaced
  }
  return renamed;
}

bool place(Module& module, at::Device device) {
  const bool renamed = rename_devices(module, device);
  if (device.is_cpu()) return renamed;
  for (const auto& graph : graphs_of(module)) move_constants(*graph, device);
  module.to(device);
  return true;
}

}  // namespace neurontune
