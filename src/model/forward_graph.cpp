#include "model/forward_graph.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/lower_tuples.h>

#include <set>
#include <string>

#include "model/graph_walk.h"

namespace neurontune {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::GraphFunction;
using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

bool is_setting(const c10::IValue& value) {
  return value.isBool() || value.isInt() || value.isDouble() || value.isString() || value.isNone();
}

/// The attributes that forward itself sets: their values are not known before it runs.
std::set<std::string> attributes_set(Graph& graph) {
  std::set<std::string> names;
  for_each_node(graph.block(), [&](const Node* node) {
    if (node->kind() == c10::prim::SetAttr) names.insert(node->s(c10::attr::name));
  });
  return names;
}

/// Flags such as `training`, false in evaluation, become constants: the branches that ask for them
/// go away.
void fold_attributes(Graph& graph, const Module& module) {
  const auto set = attributes_set(graph);
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::GetAttr || set.contains(node->s(c10::attr::name))) return;
    const auto known = resolve(node->output(), module);
    if (!known || !is_setting(known->value)) return;
    const torch::jit::WithInsertPoint before(node);
    node->output()->replaceAllUsesWith(graph.insertConstant(known->value));
  });
}

/// Arguments that are no tensors have their default in every call from here.
void fold_arguments(Graph& graph, const Module& module) {
  const auto& arguments = module.get_method("forward").function().getSchema().arguments();
  const torch::jit::WithInsertPoint at_start(*graph.nodes().begin());
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto& value = arguments[i].default_value();
    if (value && is_setting(*value) && !c10::TensorType::get()->isSubtypeOf(*arguments[i].type()))
      graph.inputs()[i]->replaceAllUsesWith(graph.insertConstant(*value));
  }
}

bool is_call_on(const Node* node, const Module& module, const std::optional<Module>& kept) {
  if (!kept || node->s(c10::attr::name) != "forward") return false;
  const auto owner = resolve(node->input(0), module);
  return owner && owner->value.isObject() && owner->value.toObject() == kept->_ivalue();
}

/// The function that a node calls, if it is one that a graph describes.
GraphFunction* callee(const Node* node) {
  if (node->kind() == c10::prim::CallMethod) {
    const auto type = node->input(0)->type()->cast<c10::ClassType>();
    auto* method = type ? type->findMethod(node->s(c10::attr::name)) : nullptr;
    return method ? torch::jit::tryToGraphFunction(*method) : nullptr;
  }
  if (node->kind() != c10::prim::CallFunction) return nullptr;
  return torch::jit::tryToGraphFunction(
      *node->input(0)->type()->expectRef<c10::FunctionType>().function());
}

void inline_calls(Block* block, const Module& module, const std::optional<Module>& kept) {
  for (auto place = block->nodes().begin(); place != block->nodes().end();) {
    Node* node = *place;
    auto* function = callee(node);
    if (function == nullptr ||
        (node->kind() == c10::prim::CallMethod && is_call_on(node, module, kept))) {
      for (Block* inner : node->blocks()) inline_calls(inner, module, kept);
      ++place;
      continue;
    }
    if (node->kind() == c10::prim::CallFunction) node->removeInput(0);
    Node* before = node->prev();
    torch::jit::inlineCallTo(node, function, function->graph().get());
    place = ++before->iterator();  // the callee's own calls come next
  }
}

std::vector<Node*> calls_in(Graph& graph) {
  std::vector<Node*> calls;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() == c10::prim::CallMethod) calls.push_back(node);
  });
  return calls;
}

}  // namespace

ForwardGraph forward_graph(const Module& module, const std::optional<Module>& kept) {
  auto graph = module.get_method("forward").graph()->copy();
  inline_calls(graph->block(), module, kept);
  fold_attributes(*graph, module);
  fold_arguments(*graph, module);
  torch::jit::ConstantPropagationImmutableTypes(graph);
  torch::jit::LowerSimpleTuples(graph);
  torch::jit::EliminateDeadCode(graph);
  auto calls = kept ? calls_in(*graph) : std::vector<Node*>();
  return {std::move(graph), std::move(calls)};
}

}  // namespace neurontune
