#include "model/placement.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>

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

void replace(Node* constant, const c10::IValue& value) {
  torch::jit::WithInsertPoint before(constant);
  constant->output()->replaceAllUsesWith(constant->owningGraph()->insertConstant(value));
}

/// The constant as it is on the device, where that is another.
std::optional<c10::IValue> placed(const Node* node, at::Device device, bool cpu_is_meant) {
  if (const auto named = device_named_by(node)) {
    if (*named == device || (named->is_cpu() && cpu_is_meant)) return std::nullopt;
    return device;
  }
  if (node->kind() != c10::prim::Constant) return std::nullopt;
  const auto value = torch::jit::toIValue(node->output());
  if (!value || !value->isTensor() || !value->toTensor().defined()) return std::nullopt;
  if (value->toTensor().device() == device) return std::nullopt;
  return value->toTensor().to(device);
}

}  // namespace

void place(Module& module, at::Device device) {
  const auto graphs = graphs_of(module);
  bool names_cuda = false;
  for (const auto& graph : graphs)
    for_each_node(graph->block(), [&](const Node* node) {
      const auto named = device_named_by(node);
      names_cuda = names_cuda || (named && named->is_cuda());
    });
  for (const auto& graph : graphs)
    for_each_node(graph->block(), [&](Node* node) {
      if (const auto value = placed(node, device, !device.is_cpu() && names_cuda))
        replace(node, *value);
    });
  if (!device.is_cpu()) module.to(device);
}

}  // namespace neurontune
