#include "model/head_search.h"

#include <c10/util/StringUtil.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "neurontune/error.h"

namespace neurontune {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

constexpr size_t kStepsNamed = 4;  // in the message about a model that has no head

void for_each_node(Block* block, const std::function<void(Node*)>& visit) {
  for (Node* node : block->nodes()) {
    visit(node);
    for (Block* inner : node->blocks()) for_each_node(inner, visit);
  }
}

/// In evaluation `training` is false: the branches that ask for it go away.
void resolve_training_flags(Graph& graph) {
  torch::jit::WithInsertPoint at_start(*graph.nodes().begin());
  Value* evaluation = graph.insertConstant(false);
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() == c10::prim::GetAttr && node->s(c10::attr::name) == "training" &&
        node->output()->type()->kind() == c10::TypeKind::BoolType) {
      node->output()->replaceAllUsesWith(evaluation);
    }
  });
}

std::shared_ptr<Graph> inlined_forward(const Module& module) {
  auto graph = module.get_method("forward").graph()->copy();
  // A callee comes in as the optimiser left it: with its own calls inlined, or not if that is off.
  const torch::jit::GraphOptimizerEnabledGuard optimised(true);
  torch::jit::Inline(*graph);
  resolve_training_flags(*graph);
  torch::jit::ConstantPropagationImmutableTypes(graph);
  torch::jit::LowerSimpleTuples(graph);
  torch::jit::EliminateDeadCode(graph);
  return graph;
}

/// A value that is known without running the model.
struct KnownValue {
  c10::IValue value;
  std::string path;  // of the attribute; empty for constants and the module itself
};

std::optional<KnownValue> resolve(const Value* value, const Module& module) {
  const Node* node = value->node();
  if (node->kind() == c10::prim::Param && value->offset() == 0) {
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

/// logits = input · weightᵀ + bias, or input · weight + bias if transposed.
struct LinearLayer {
  Value* input = nullptr;
  Value* weight = nullptr;
  Value* bias = nullptr;  // none where null
  bool transposed = false;
};

bool is_one(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return false;
  return constant->isInt() ? constant->toInt() == 1
                           : constant->isDouble() && constant->toDouble() == 1.0;
}

/// The second factor of a matrix product: a weight stored [C, M] is transposed there.
LinearLayer product(Value* input, Value* factor) {
  Node* node = factor->node();
  if (node->kind() == c10::aten::t || node->kind() == c10::aten::numpy_T) {
    return {input, node->input(0), nullptr, false};
  }
  return {input, factor, nullptr, true};
}

std::optional<LinearLayer> match_product(Value* output) {
  Node* node = output->node();
  if (node->kind() != c10::aten::matmul && node->kind() != c10::aten::mm) return std::nullopt;
  return product(node->input(0), node->input(1));
}

/// Each way in which exports spell a linear layer.
std::optional<LinearLayer> match_linear(Value* output) {
  Node* node = output->node();
  if (node->kind() == c10::aten::linear) {
    return LinearLayer{node->input(0), node->input(1), node->input(2), false};
  }
  if (node->kind() == c10::aten::addmm && is_one(node->input(3)) && is_one(node->input(4))) {
    auto layer = product(node->input(1), node->input(2));
    layer.bias = node->input(0);
    return layer;
  }
  if ((node->kind() == c10::aten::add || node->kind() == c10::aten::add_) &&
      node->inputs().size() == 3 && is_one(node->input(2))) {
    auto layer = match_product(node->input(0));
    if (layer) layer->bias = node->input(1);
    return layer;
  }
  return match_product(output);
}

bool is_convolution(std::string_view step) { return step.find("conv") != std::string_view::npos; }

/// The steps that end in `output`, in the order they run, back to the nearest convolution.
std::vector<std::string> last_steps(const Value* output) {
  std::vector<std::string> steps;
  while (output->node()->kind() != c10::prim::Param && steps.size() < kStepsNamed) {
    const Node* node = output->node();
    steps.insert(steps.begin(), node->kind().toQualString());
    if (is_convolution(steps.front()) || node->inputs().empty()) break;
    output = node->input(0);
  }
  return steps;
}

std::string without_head(const Value* output) {
  const auto kind = output->node()->kind();
  if (kind == c10::prim::TupleConstruct) return "returns a tuple, expected one tensor of logits";
  if (kind == c10::prim::DictConstruct) return "returns a dict, expected one tensor of logits";
  const auto steps = last_steps(output);
  if (steps.empty()) return "returns its own input, expected the output of a linear layer";
  const char* advice = is_convolution(steps.front())
                           ? "a convolution cannot serve as the head: give the model a linear "
                             "last layer and export it again"
                           : "export it so that forward returns its last linear layer's output";
  return "ends in " + c10::Join(", ", steps) + ", expected a linear layer; " + advice;
}

HeadTensor head_tensor(const Value* value, const Module& module, const std::string& model,
                       const char* what) {
  const auto known = resolve(value, module);
  if (!known) {
    throw Error(model + ": the last linear layer's " + what + " is computed by " +
                value->node()->kind().toQualString() +
                ", expected a parameter; export the model without reparametrisations and casts "
                "of it");
  }
  if (known->value.isNone()) return {};
  if (!known->value.isTensor()) {
    throw Error(model + ": the last linear layer's " + what + " is a " + known->value.tagKind() +
                ", expected a tensor");
  }
  return {known->value.toTensor(), known->path};
}

/// "fc" of "fc.weight"; a parameter with a name of its own stands for the layer.
std::string layer_name(const std::string& weight) {
  constexpr std::string_view kSuffix = ".weight";
  if (weight.empty()) return "constant";
  if (weight.size() > kSuffix.size() &&
      weight.compare(weight.size() - kSuffix.size(), kSuffix.size(), kSuffix) == 0) {
    return weight.substr(0, weight.size() - kSuffix.size());
  }
  return weight;
}

void check_head_tensors(const FoundHead& head, const std::string& model) {
  const auto& weight = head.weight.tensor;
  if (!weight.defined() || weight.dim() != 2 || !weight.is_floating_point()) {
    throw Error(model + ": the last linear layer's weight is " +
                (weight.defined()
                     ? c10::toString(weight.scalar_type()) + c10::str(" ", weight.sizes())
                     : std::string("missing")) +
                ", expected a floating point [C, M]");
  }
  const auto& bias = head.bias.tensor;
  const int64_t classes = head.weight_by_class().size(0);
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != classes)) {
    throw Error(model + ": the last linear layer's bias is " + c10::str(bias.sizes()) +
                ", expected [" + std::to_string(classes) + "]");
  }
}

void cut_after(Graph& graph, Value* output) {
  graph.eraseOutput(0);
  graph.registerOutput(output);
}

}  // namespace

at::Tensor FoundHead::weight_by_class() const {
  return transposed ? weight.tensor.t() : weight.tensor;
}

FoundHead find_head(const Module& module, const std::string& model) {
  if (!module.find_method("forward")) throw Error(model + " has no method forward");
  auto graph = inlined_forward(module);
  const auto layer = match_linear(graph->outputs()[0]);
  if (!layer) throw Error(model + " " + without_head(graph->outputs()[0]));

  FoundHead head;
  head.weight = head_tensor(layer->weight, module, model, "weight");
  if (layer->bias != nullptr) head.bias = head_tensor(layer->bias, module, model, "bias");
  head.transposed = layer->transposed;
  head.name = layer_name(head.weight.name);
  check_head_tensors(head, model);
  cut_after(*graph, layer->input);
  torch::jit::EliminateDeadCode(graph);
  head.features = std::move(graph);
  return head;
}

std::string shared_with(const FoundHead& head, const Module& module) {
  const auto shares = [&](const at::Tensor& tensor) {
    return tensor.defined() &&
           (tensor.is_alias_of(head.weight.tensor) ||
            (head.bias.tensor.defined() && tensor.is_alias_of(head.bias.tensor)));
  };
  for (const auto& attribute : module.named_attributes()) {
    if (attribute.name == head.weight.name || attribute.name == head.bias.name) continue;
    if (attribute.value.isTensor() && shares(attribute.value.toTensor())) return attribute.name;
  }
  std::string found;
  for_each_node(head.features->block(), [&](Node* node) {
    for (const Value* output : node->outputs()) {
      const auto known = resolve(output, module);
      if (known && known->value.isTensor() && shares(known->value.toTensor())) {
        found = known->path.empty() ? "a constant of an earlier layer"
                                    : "an earlier use of " + known->path;
      }
    }
  });
  return found;
}

}  // namespace neurontune
