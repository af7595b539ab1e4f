#include "model/known_number.h"

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <exception>
#include <set>

#include "model/graph_walk.h"

namespace neurontune {
namespace {

using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

constexpr int kDeepest = 32;  // steps from a parameter to the factor

/// Steps that repeat the numbers of their first input in another shape, which may depend on the
/// run.
bool only_shapes(const Node* node) {
  static const std::set<c10::Symbol> kinds = [] {
    std::set<c10::Symbol> all;
    for (const char* name : {"unsqueeze", "squeeze", "expand", "expand_as", "view", "view_as",
                             "reshape", "reshape_as", "repeat", "broadcast_to", "to", "type_as",
                             "contiguous", "clone", "detach", "alias", "flatten"})
      all.insert(c10::Symbol::fromQualString(std::string("aten::") + name));
    return all;
  }();
  return kinds.contains(node->kind());
}

/// Whether a step gives the same for the same inputs and does nothing else.
bool is_pure(const Node* node) {
  const auto* schema = node->maybeSchema();
  return schema != nullptr && schema->name().starts_with("aten::") && !schema->is_mutable() &&
         !node->hasSideEffects() && !node->isNondeterministic() && node->blocks().empty() &&
         node->outputs().size() == 1;
}

std::optional<c10::IValue> known_value(const Value* value, const Module& module, int depth);

/// What a step on known values gives. Those may be in the module, so that it runs on copies.
std::optional<c10::IValue> run(const Node* node, const Module& module, int depth) {
  if (!is_pure(node)) return std::nullopt;
  torch::jit::Stack stack;
  for (const Value* input : node->inputs()) {
    auto known = known_value(input, module, depth);
    if (!known || known->isObject()) return std::nullopt;
    stack.push_back(known->isTensor() ? known->toTensor().clone() : std::move(*known));
  }
  try {
    const c10::NoGradGuard no_grad;
    node->getOperation()(stack);
  } catch (const std::exception&) {  // then it is no factor
    return std::nullopt;
  }
  return stack.size() == 1 ? std::optional(stack.back()) : std::nullopt;
}

/// A value that is no vector: what it is does not depend on its shape.
std::optional<c10::IValue> known_value(const Value* value, const Module& module, int depth) {
  if (depth > kDeepest) return std::nullopt;
  if (const auto known = resolve(value, module)) {
    const bool many = known->value.isTensor() && known->value.toTensor().defined() &&
                      known->value.toTensor().numel() != 1;
    return many ? std::nullopt : std::optional(known->value);
  }
  const Node* node = value->node();
  if (node->inputs().empty()) return std::nullopt;
  if (only_shapes(node)) return known_value(node->input(0), module, depth + 1);
  return run(node, module, depth + 1);
}

}  // namespace

std::optional<double> known_number(const Value* value, const Module& module) {
  const auto known = known_value(value, module, 0);
  if (!known) return std::nullopt;
  if (known->isScalar()) return known->toScalar().toDouble();
  if (!known->isTensor() || !known->toTensor().defined() || known->toTensor().numel() != 1 ||
      known->toTensor().is_complex())
    return std::nullopt;
  return known->toTensor().item<double>();
}

}  // namespace neurontune
