#include "model/linear_layer.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "base/describe.h"
#include "model/graph_walk.h"
#include "model/known_number.h"

namespace neurontune {
namespace {

using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

constexpr size_t kStepsNamed = 4;

bool is_one(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return false;
  return constant->isInt() ? constant->toInt() == 1
                           : constant->isDouble() && constant->toDouble() == 1.0;
}

bool is_number(const Value* value, int64_t number) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isInt() && constant->toInt() == number;
}

/// Whether a step swaps the two dimensions of a matrix.
bool swaps_dimensions(const Node* node) {
  static const auto kMt = c10::Symbol::fromQualString("aten::mT");
  static const auto kMatrixH = c10::Symbol::fromQualString("aten::matrix_H");
  const auto kind = node->kind();
  if (kind == c10::aten::t || kind == c10::aten::numpy_T || kind == kMt || kind == kMatrixH)
    return true;
  if (kind == c10::aten::permute) {
    const auto order = torch::jit::toIValue(node->input(1));
    return order && order->isIntList() && order->toIntVector() == std::vector<int64_t>{1, 0};
  }
  if (kind != c10::aten::transpose) return false;
  const Value *first = node->input(1), *second = node->input(2);
  const auto is_rows = [](const Value* value) {
    return is_number(value, 0) || is_number(value, -2);
  };
  const auto is_columns = [](const Value* value) {
    return is_number(value, 1) || is_number(value, -1);
  };
  return (is_rows(first) && is_columns(second)) || (is_columns(first) && is_rows(second));
}

/// The second factor of a matrix product: a weight stored [C, M] is transposed there.
LinearLayer product(Value* input, Value* factor) {
  Node* node = factor->node();
  if (swaps_dimensions(node)) return {input, node->input(0), nullptr, false, nullptr};
  return {input, factor, nullptr, true, nullptr};
}

bool multiplies(const Node* node) {
  return node->kind() == c10::aten::matmul || node->kind() == c10::aten::mm;
}

/// A product the other way round, (weight · inputᵀ)ᵀ: the first factor is the weight.
std::optional<LinearLayer> match_transposed_product(const Node* transposition) {
  const Node* node = transposition->input(0)->node();
  if (!multiplies(node) || !swaps_dimensions(node->input(1)->node())) return std::nullopt;
  Value *input = node->input(1)->node()->input(0), *factor = node->input(0);
  if (swaps_dimensions(factor->node()))
    return LinearLayer{input, factor->node()->input(0), nullptr, true, nullptr};
  return LinearLayer{input, factor, nullptr, false, nullptr};
}

std::optional<LinearLayer> match_product(Value* output) {
  Node* node = output->node();
  if (swaps_dimensions(node)) return match_transposed_product(node);
  if (!multiplies(node)) return std::nullopt;
  return product(node->input(0), node->input(1));
}

std::optional<LinearLayer> match(Value* output) {
  Node* node = output->node();
  if (node->kind() == c10::aten::linear)
    return LinearLayer{node->input(0), node->input(1), node->input(2), false, nullptr};
  if (node->kind() == c10::aten::addmm && is_one(node->input(3)) && is_one(node->input(4))) {
    auto layer = product(node->input(1), node->input(2));
    layer.bias = node->input(0);
    return layer;
  }
  if ((node->kind() == c10::aten::add || node->kind() == c10::aten::add_) &&
      node->inputs().size() == 3 && is_one(node->input(2))) {
    for (const size_t first : {size_t{0}, size_t{1}}) {
      auto layer = match_product(node->input(first));
      if (!layer) continue;
      layer->bias = node->input(1 - first);
      return layer;
    }
    return std::nullopt;
  }
  return match_product(output);
}

/// A number over 0 that is known without running the model.
bool is_positive_number(const Value* value, const Module& module) {
  const auto number = known_number(value, module);
  return number && *number > 0 && std::isfinite(*number);
}

const std::set<c10::Symbol>& order_keeping_kinds() {
  static const std::set<c10::Symbol> kinds = [] {
    std::set<c10::Symbol> all;
    for (const char* name :
         {"softmax",     "_softmax",  "log_softmax", "_log_softmax", "sigmoid", "sigmoid_",
          "log_sigmoid", "log",       "log_",        "exp",          "exp_",    "squeeze",
          "squeeze_",    "unsqueeze", "view",        "reshape",      "flatten", "to",
          "type_as",     "slice",     "select"})
      all.insert(c10::Symbol::fromQualString(std::string("aten::") + name));
    return all;
  }();
  return kinds;
}

const std::set<c10::Symbol>& identity_kinds() {
  static const std::set<c10::Symbol> kinds = [] {
    std::set<c10::Symbol> all;
    for (const char* name : {"dropout", "dropout_", "feature_dropout", "alpha_dropout",
                             "contiguous", "detach", "clone", "alias"})
      all.insert(c10::Symbol::fromQualString(std::string("aten::") + name));
    return all;
  }();
  return kinds;
}

/// What a step that may keep the order of the classes was given; null for any other step. Whether
/// it does, verification shows: it also depends on the dimensions that the step works along.
Value* before_order_keeping(Value* output, const Module& module) {
  Node* node = output->node();
  const auto kind = node->kind();
  if (node->inputs().empty()) return nullptr;
  if (is_identity(node) || order_keeping_kinds().contains(kind)) return node->input(0);
  const bool scales = kind == c10::aten::div || kind == c10::aten::div_ || kind == c10::aten::mul ||
                      kind == c10::aten::mul_;
  if (scales && node->inputs().size() == 2) {  // a third one of div rounds
    if (is_positive_number(node->input(1), module)) return node->input(0);
    const bool either_way = kind == c10::aten::mul && is_positive_number(node->input(0), module);
    if (either_way) return node->input(1);
  }
  return nullptr;
}

/// Whether a step in place, other than these values' own, changes one of them.
bool written_elsewhere(const std::vector<Value*>& values) {
  const torch::jit::AliasDb aliases(values.front()->owningGraph()->shared_from_this());
  const torch::jit::ValueSet set(values.begin(), values.end());
  bool written = false;
  for_each_node(values.front()->owningGraph()->block(), [&](Node* node) {
    const bool own = std::any_of(values.begin(), values.end(),
                                 [&](const Value* value) { return value->node() == node; });
    written = written || (!own && aliases.writesToAlias(node, set));
  });
  return written;
}

}  // namespace

bool is_identity(const Node* node) { return identity_kinds().contains(node->kind()); }

std::optional<LinearLayer> match_linear(Value* output) {
  auto layer = match(output);
  if (layer) layer->output = output;
  return layer;
}

LastLinear last_linear(Value* output, const Module& module) {
  std::vector<Value*> steps;
  for (Value* value = output; value != nullptr; value = before_order_keeping(value, module)) {
    if (value->node()->kind() == c10::prim::Param) break;
    steps.push_back(value);
    if (auto layer = match_linear(value)) return {layer, written_elsewhere(steps)};
  }
  return {};
}

bool keeps_order(const Value* logits, Value* output, const Module& module) {
  std::vector<Value*> steps;
  for (Value* value = output; value != nullptr; value = before_order_keeping(value, module)) {
    steps.push_back(value);
    if (value == logits) return !written_elsewhere(steps);
    if (value->node()->kind() == c10::prim::Param) break;
  }
  return false;
}

std::vector<Node*> nodes_of(const LinearLayer& layer) {
  std::vector<Node*> nodes = {layer.output->node()};
  for (size_t i = 0; i < nodes.size(); ++i)
    for (Value* input : nodes[i]->inputs()) {
      Node* node = input->node();
      const bool is_product = multiplies(node) && nodes[i]->kind() != c10::aten::linear;
      if (input != layer.input && (is_product || swaps_dimensions(node))) nodes.push_back(node);
    }
  return nodes;
}

std::string last_steps(const Value* output) {
  std::vector<std::string> steps;
  while (output->node()->kind() != c10::prim::Param && steps.size() < kStepsNamed) {
    const Node* node = output->node();
    steps.insert(steps.begin(), node->kind().toQualString());
    const bool is_convolution = steps.front().find("conv") != std::string::npos;
    if (is_convolution || node->inputs().empty()) break;
    output = node->input(0);
  }
  return joined(steps, ", ");
}

}  // namespace neurontune
