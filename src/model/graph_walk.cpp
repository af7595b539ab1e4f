#include "model/graph_walk.h"

#include <torch/csrc/jit/ir/constants.h>

namespace neurontune {

using torch::jit::Block;
using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

void for_each_node(Block* block, const std::function<void(Node*)>& visit) {
  for (Node* node : block->nodes()) {
    visit(node);
    for (Block* inner : node->blocks()) for_each_node(inner, visit);
  }
}

void replace_by_constant(Node* node, const c10::IValue& value) {
  const torch::jit::WithInsertPoint before(node);
  if (const auto constant = torch::jit::tryInsertConstant(*node->owningGraph(), value))
    node->output()->replaceAllUsesWith(*constant);
}

std::optional<KnownValue> resolve(const Value* value, const Module& module) {
  const Node* node = value->node();
  if (node->kind() == c10::prim::Param && node->owningBlock() == value->owningGraph()->block() &&
      value->offset() == 0) {
    return KnownValue{module._ivalue(), ""};
  }
  if (node->kind() == c10::prim::Constant) {
    auto constant = torch::jit::toIValue(value);
    if (!constant) return std::nullopt;
    return KnownValue{*constant, ""};
  }
  if (node->kind() != c10::prim::GetAttr) return std::nullopt;
  const auto owner = resolve(node->input(), module);
  if (!owner || !owner->value.isObject()) return std::nullopt;
  const std::string& name = node->s(c10::attr::name);
  return KnownValue{owner->value.toObjectRef().getAttr(name),
                    owner->path.empty() ? name : owner->path + "." + name};
}

}  // namespace neurontune
