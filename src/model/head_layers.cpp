#include "model/head_layers.h"

#include <ATen/Functions.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/describe.h"
#include "model/forward_graph.h"
#include "model/graph_walk.h"
#include "model/torchscript.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using torch::jit::Graph;
using torch::jit::GraphFunction;
using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

bool is_quantised(const Value* value) {
  return value->node()->kind().ns() == c10::Symbol::fromQualString("namespaces::quantized");
}

HeadTensor head_tensor(const Value* value, const Module& module, const std::string& model,
                       const char* what) {
  const auto known = resolve(value, module);
  if (!known) {
    throw Error(model + ": the last linear layer's " + what + " is computed by " +
                value->node()->kind().toQualString() +
                (is_quantised(value)
                     ? ": the model is quantised; export the one before quantisation"
                     : ", expected a parameter; export the model without reparametrisations and "
                       "casts of it"));
  }
  if (known->value.isNone()) return {};
  if (!known->value.isTensor()) {
    throw Error(model + ": the last linear layer's " + what + " is a " + known->value.tagKind() +
                ", expected a tensor");
  }
  return {known->value.toTensor(), known->path};
}

void check_tensors(const HeadLayers& head, const std::string& model) {
  const auto& weight = head.weight.tensor;
  if (!weight.defined() || weight.dim() != 2 || !weight.is_floating_point() ||
      weight.numel() == 0) {
    throw Error(model + ": the last linear layer's weight is " +
                (weight.defined() ? describe(weight) : std::string("missing")) +
                ", expected a floating point [C, M]");
  }
  const auto& bias = head.bias.tensor;
  const int64_t outputs = head.weight_by_output().size(0);
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != outputs)) {
    throw Error(model + ": the last linear layer's bias is " + describe(bias.sizes()) +
                ", expected [" + std::to_string(outputs) + "]");
  }
}

/// The embedding under all its names in a submodule's graph: steps that pass it on unchanged come
/// before the first layer. Flattening leaves [N, M] as it is.
std::vector<Value*> names_of_embedding(Value* embedding) {
  std::vector<Value*> names = {embedding};
  for (size_t i = 0; i < names.size(); ++i)
    for (const auto& use : names[i]->uses())
      if (use.offset == 0 && (is_identity(use.user) || use.user->kind() == c10::aten::flatten))
        names.push_back(use.user->output());
  return names;
}

/// The linear layer around a node that multiplies, with the bias that may be added next.
std::optional<LinearLayer> layer_at(Node* node) {
  if (node->outputs().size() != 1) return std::nullopt;
  const auto& uses = node->output()->uses();
  if (uses.size() == 1 && uses[0].user->outputs().size() == 1)
    if (auto layer = match_linear(uses[0].user->output());
        layer && layer->bias != nullptr && uses[0].user->kind() != c10::aten::linear)
      return layer;
  return match_linear(node->output());
}

/// The layer that the embedding enters: it must be the only one.
LinearLayer first_layer(Value* embedding, const std::string& where) {
  const auto names = names_of_embedding(embedding);
  const auto is_embedding = [&](const Value* value) {
    return std::find(names.begin(), names.end(), value) != names.end();
  };
  std::optional<LinearLayer> first;
  for (const Value* name : names) {
    for (const auto& use : name->uses()) {
      if (use.user->outputs().size() == 1 && is_embedding(use.user->output())) continue;
      auto layer = layer_at(use.user);
      if (!layer || !is_embedding(layer->input) || first)
        throw Error(where + " starts with " + use.user->kind().toQualString() +
                    (first ? " beside a linear layer" : "") +
                    ", expected one linear layer, into which the mask can be folded");
      first = layer;
    }
  }
  if (!first) throw Error(where + " does not use its input");
  return *first;
}

/// Turns the floating tensors that a graph reads into its arguments, in this order.
std::vector<HeadTensor> lift_tensors(Graph& graph, const Module& module) {
  std::vector<HeadTensor> lifted;
  std::vector<Value*> arguments;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::GetAttr) return;
    const auto known = resolve(node->output(), module);
    if (!known || !known->value.isTensor() || !known->value.toTensor().is_floating_point()) return;
    const auto same = std::find_if(lifted.begin(), lifted.end(), [&](const HeadTensor& tensor) {
      return tensor.name == known->path;
    });
    const auto place = static_cast<size_t>(same - lifted.begin());
    if (same == lifted.end()) {
      lifted.push_back({known->value.toTensor(), known->path});
      arguments.push_back(graph.addInput()->setType(c10::TensorType::get()));
    }
    node->output()->replaceAllUsesWith(arguments[place]);
  });
  torch::jit::EliminateDeadCode(graph.block());
  return lifted;
}

/// The names of a module's parameters; buffers, such as a norm's statistics, are none.
std::set<std::string> parameters_of(const Module& module) {
  std::set<std::string> names;
  for (const auto& parameter : module.named_parameters()) names.insert(parameter.name);
  return names;
}

/// What a submodule's graph computes from the hidden values on, as a function.
class LaterFunction {
 public:
  /// @param graph   (self, hidden values, tensors…) → logits
  /// @param tensors its arguments: none where a parameter is put, the buffer elsewhere
  LaterFunction(std::shared_ptr<Graph> graph, std::vector<at::Tensor> tensors, Module submodule,
                std::string where)
      : function_(std::make_shared<GraphFunction>("later_layers", std::move(graph), nullptr)),
        tensors_(std::move(tensors)),
        submodule_(std::move(submodule)),
        where_(std::move(where)) {}

  /// [N, C], or [N, 1] of a single logit.
  at::Tensor operator()(const at::Tensor& hidden, const std::vector<at::Tensor>& parameters) const {
    return torchscript::differentiable_call(where_, [&] {
      torch::jit::Stack stack{submodule_._ivalue(), hidden};
      auto parameter = parameters.begin();
      for (const auto& buffer : tensors_)
        stack.emplace_back(buffer.defined() ? buffer.to(hidden.options()) : *parameter++);
      function_->run(stack);
      const auto value = torch::jit::pop(stack);
      const bool matrix = value.isTensor() && value.toTensor().dim() == 2;
      const bool vector = value.isTensor() && value.toTensor().dim() == 1;
      if (!(matrix || vector) || value.toTensor().size(0) != hidden.size(0))
        throw Error(where_ + " returns no tensor [N, C] of logits");
      return vector ? value.toTensor().unsqueeze(1) : value.toTensor();
    });
  }

 private:
  std::shared_ptr<GraphFunction> function_;
  std::vector<at::Tensor> tensors_;
  Module submodule_;
  std::string where_;
};

/// The logits 0 and s of two classes for one logit s.
LaterLayers::Function of_two_classes(LaterLayers::Function one_logit) {
  return [one_logit = std::move(one_logit)](const at::Tensor& hidden,
                                            const std::vector<at::Tensor>& parameters) {
    const auto logit = one_logit(hidden, parameters);
    return at::cat({at::zeros_like(logit), logit}, 1);
  };
}

/// Cuts a submodule's graph after its first layer: (self, hidden values, parameters…) → logits.
std::shared_ptr<Graph> later_graph(const std::shared_ptr<Graph>& graph, const LinearLayer& first,
                                   const std::string& where) {
  Value* embedding = graph->inputs()[1];
  Value* hidden = graph->insertInput(1)->setType(c10::TensorType::get());
  first.output->replaceAllUsesWith(hidden);
  torch::jit::EliminateDeadCode(graph);
  if (embedding->hasUses()) throw Error(where + " uses its input beside the first layer");
  graph->eraseInput(2);
  return graph;
}

}  // namespace

at::Tensor HeadLayers::weight_by_output() const {
  return transposed ? weight.tensor.t() : weight.tensor;
}

std::vector<HeadTensor> HeadLayers::all() const {
  std::vector<HeadTensor> tensors = {weight};
  if (bias.tensor.defined()) tensors.push_back(bias);
  tensors.insert(tensors.end(), later.begin(), later.end());
  return tensors;
}

Head HeadLayers::head() const {
  const auto copy = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().clone(at::MemoryFormat::Contiguous) : tensor;
  };
  Head head{copy(weight_by_output()), copy(bias.tensor)};
  head.later_layers = later_layers;
  for (const auto& parameter : later) head.later_parameters.push_back(copy(parameter.tensor));
  head.single_logit = single_logit;
  return head.is_linear() && single_logit ? two_classes(head) : head;
}

HeadLayers linear_head(const LinearLayer& layer, const Module& module, const std::string& model) {
  HeadLayers head;
  head.weight = head_tensor(layer.weight, module, model, "weight");
  if (layer.bias != nullptr) head.bias = head_tensor(layer.bias, module, model, "bias");
  head.transposed = layer.transposed;
  check_tensors(head, model);
  head.single_logit = head.weight_by_output().size(0) == 1;
  return head;
}

HeadLayers submodule_head(const Module& submodule, const std::string& name,
                          const std::string& model) {
  const std::string where = model + ": the head " + name;
  auto graph = forward_graph(submodule).graph;
  if (graph->inputs().size() != 2)
    throw Error(where + " takes " + std::to_string(graph->inputs().size() - 1) +
                " inputs, expected one, the embedding");
  const auto first = first_layer(graph->inputs()[1], where);
  auto head = linear_head(first, submodule, where);
  graph = later_graph(graph, first, where);
  const auto trainable = parameters_of(submodule);
  std::vector<at::Tensor> buffers;  // undefined in the places of parameters
  for (const auto& tensor : lift_tensors(*graph, submodule)) {
    const bool trained = trainable.contains(tensor.name);
    if (trained) head.later.push_back(tensor);
    buffers.push_back(trained ? at::Tensor() : tensor.tensor.detach());
  }

  auto later = std::make_shared<LaterLayers>();
  later->weight_name = head.weight.name;
  later->bias_name = head.bias.name;
  for (const auto& parameter : head.later) later->parameter_names.push_back(parameter.name);
  const LaterFunction function(std::move(graph), std::move(buffers), submodule, where);
  const auto weight = head.weight_by_output();
  std::vector<at::Tensor> parameters;
  for (const auto& parameter : head.later) parameters.push_back(parameter.tensor.detach());
  const auto columns =
      function(at::zeros({2, weight.size(0)}, weight.options()), parameters).size(1);
  head.single_logit = columns == 1;
  later->classes = head.single_logit ? 2 : columns;
  later->forward = head.single_logit ? of_two_classes(function) : function;
  head.later_layers = std::move(later);
  return head;
}

}  // namespace neurontune
