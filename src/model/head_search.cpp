#include "model/head_search.h"

#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/describe.h"
#include "model/forward_graph.h"
#include "model/graph_walk.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using torch::jit::Graph;
using torch::jit::Module;
using torch::jit::Node;
using torch::jit::Value;

/// An output of the model, and the values where the head before it begins and ends.
struct Split {
  OutputLeaf leaf;
  Value* input = nullptr;
  Value* logits = nullptr;
  std::optional<LinearLayer> layer = std::nullopt;  ///< if the head is one
};

/// Looks for the head before an output.
struct HeadBefore {
  std::function<std::optional<Split>(const OutputLeaf&)> find;
  std::function<std::string(const OutputLeaf&)> what_else;  ///< what is there where it is not
};

std::string without_head(const OutputLeaf& leaf) {
  const std::string what =
      leaf.path.empty() ? " ends in " : ": output " + leaf.name() + " ends in ";
  const auto steps = last_steps(leaf.value);
  if (steps.empty()) return what + "its own input, expected the output of a linear layer";
  const char* advice =
      steps.find("quantized::") != std::string::npos
          ? "the model is quantised: export the one before quantisation"
      : steps.find("conv") != std::string::npos
          ? "a convolution cannot serve as the head: give the model a linear last layer and export "
            "it again"
          : "export it so that forward returns its last linear layer's output, or name a submodule "
            "that starts with a linear layer as the head";
  return what + steps + ", expected a linear layer; " + advice;
}

std::string names_of(const std::vector<OutputLeaf>& leaves) {
  std::vector<std::string> names;
  for (const auto& leaf : leaves) names.push_back(leaf.name());
  return listed(names);
}

const OutputLeaf& leaf_named(const std::vector<OutputLeaf>& leaves, const std::string& name,
                             const std::string& model) {
  const auto found = std::find_if(leaves.begin(), leaves.end(),
                                  [&](const OutputLeaf& leaf) { return leaf.name() == name; });
  if (found != leaves.end()) return *found;
  if (leaves.size() == 1 && leaves[0].path.empty())
    throw Error(model + " returns one value, which has no name; leave out the output " + name);
  throw Error(model + " returns no output " + name + ", expected one of " + names_of(leaves));
}

/// The one output that comes from a head, or of several the one called logits.
Split choose_output(const std::vector<OutputLeaf>& leaves, const HeadBefore& head_before,
                    const std::string& model) {
  std::vector<Split> splits;
  for (const auto& leaf : leaves)
    if (auto split = head_before.find(leaf)) splits.push_back(*split);
  if (splits.empty() && leaves.size() == 1) throw Error(model + head_before.what_else(leaves[0]));
  if (splits.empty())
    throw Error(model + ": none of its outputs " + names_of(leaves) +
                " comes from a linear layer or the head asked for; export it so that one does");
  const auto named = std::find_if(splits.begin(), splits.end(), [](const Split& split) {
    return !split.leaf.path.empty() && split.leaf.path.back() == "logits";
  });
  if (named != splits.end()) return *named;
  const bool one_head = std::all_of(splits.begin(), splits.end(), [&](const Split& split) {
    return split.logits == splits[0].logits;
  });
  if (!one_head)
    throw Error(model + ": its outputs " + names_of(leaves) +
                " come from several linear layers; name the one with the logits (--output)");
  return splits[0];
}

Split find_split(Graph& graph, const std::string& output, const HeadBefore& head_before,
                 const std::string& model) {
  const auto leaves = output_leaves(graph.outputs()[0]);
  if (output == "auto") return choose_output(leaves, head_before, model);
  const auto& leaf = leaf_named(leaves, output, model);
  const auto split = head_before.find(leaf);
  if (!split) throw Error(model + head_before.what_else(leaf));
  return *split;
}

/// The graph's own copies with only what comes before, and only what comes after, the head.
void cut(const std::shared_ptr<Graph>& graph, const Split& split, FoundHead& head) {
  // A copy keeps the order of outputs: through them its values are found again.
  graph->eraseOutput(0);
  for (Value* value : {split.input, split.logits, split.leaf.value}) graph->registerOutput(value);
  head.features = graph->copy();
  head.features->eraseOutput(2);
  head.features->eraseOutput(1);
  torch::jit::EliminateDeadCode(head.features);
  head.after = graph->copy();
  Value* logits = head.after->addInput("logits")->setType(c10::TensorType::get());
  head.after->outputs()[1]->replaceAllUsesWith(logits);
  head.after->eraseOutput(1);
  head.after->eraseOutput(0);
  torch::jit::EliminateDeadCode(head.after);
}

/// "fc" of "fc.weight"; a parameter with a name of its own stands for the layer.
std::string layer_name(const std::string& weight) {
  constexpr std::string_view kSuffix = ".weight";
  if (weight.empty()) return "constant";
  return weight.ends_with(kSuffix) ? weight.substr(0, weight.size() - kSuffix.size()) : weight;
}

/// Whether a value that is known before the run is, or holds, a tensor in the head's memory.
bool holds_head(const c10::IValue& value, const std::vector<HeadTensor>& head) {
  bool holds = false;
  value.visit([&](const c10::IValue& part) {
    if (part.isObject()) return true;  // submodules' tensors count where they are read
    if (part.isTensor() && part.toTensor().defined() && part.toTensor().has_storage())
      holds = holds || std::any_of(head.begin(), head.end(), [&](const HeadTensor& own) {
                return part.toTensor().is_alias_of(own.tensor);
              });
    return false;
  });
  return holds;
}

/// What reads the head's tensors beside the head's own steps; empty if nothing does.
std::string other_use_of(const HeadLayers& layers, Graph& graph, const std::vector<Node*>& own,
                         const Module& module) {
  const auto head = layers.all();
  const auto is_own = [&](const Node* node) {
    return std::find(own.begin(), own.end(), node) != own.end();
  };
  std::string found;
  for_each_node(graph.block(), [&](Node* node) {
    for (const Value* value : node->inputs()) {
      const auto known = resolve(value, module);
      if (!is_own(node) && node->kind() != c10::prim::GetAttr && known &&
          !known->value.isObject() && holds_head(known->value, head))
        found =
            known->path.empty() ? "a constant of another layer" : "another use of " + known->path;
    }
    // A transposed weight may be read by others too.
    if (!is_own(node) || node == own.front()) return;
    for (const auto& use : node->output()->uses())
      if (!is_own(use.user)) found = "another layer";
  });
  return found;
}

void check_not_shared(const FoundHead& head, Graph& graph, const std::vector<Node*>& own,
                      const Module& module, const std::string& model) {
  const std::string other = other_use_of(head.layers, graph, own, module);
  if (!other.empty()) {
    throw Error(model + ": the head " + head.name + " shares memory with " + other +
                ", which would change with it; export the model with a head of its own");
  }
}

FoundHead linear_layer_head(const Module& module, const std::string& output,
                            const std::string& model) {
  auto graph = forward_graph(module).graph;
  const auto find = [&](const OutputLeaf& leaf) -> std::optional<Split> {
    const auto [layer, changed] = last_linear(leaf.value, module);
    if (!layer || changed) return std::nullopt;
    return Split{leaf, layer->input, layer->output, layer};
  };
  const auto what_else = [&](const OutputLeaf& leaf) {
    return last_linear(leaf.value, module).changed
               ? " changes its last linear layer's output in place; export it so that forward "
                 "returns that output"
               : without_head(leaf);
  };
  const HeadBefore head_before{find, what_else};
  const auto split = find_split(*graph, output, head_before, model);
  const auto& layer = *split.layer;
  FoundHead head;
  head.layers = linear_head(layer, module, model);
  head.name = layer_name(head.layers.weight.name);
  head.output = split.leaf.path;
  check_not_shared(head, *graph, nodes_of(layer), module, model);
  cut(graph, split, head);
  return head;
}

std::string children_of(const Module& module) {
  std::vector<std::string> names;
  for (const auto& child : module.named_children()) names.push_back(child.name);
  return names.empty() ? "none, as it is frozen or all in one" : listed(names);
}

std::optional<Module> submodule_named(const Module& module, const std::string& name) {
  for (const auto& part : module.named_modules())
    if (!name.empty() && part.name == name) return part.value;
  return std::nullopt;
}

FoundHead whole_submodule_head(const Module& module, const SplitOptions& options,
                               const std::string& model) {
  const auto submodule = submodule_named(module, options.head);
  if (!submodule)
    throw Error(model + " has no submodule " + options.head + "; its own are " +
                children_of(module));
  const auto [graph, calls] = forward_graph(module, submodule);
  if (calls.size() != 1 || calls[0]->owningBlock() != graph->block())
    throw Error(model + ": forward calls " + options.head + " " + std::to_string(calls.size()) +
                " times, expected once and unconditionally");
  if (calls[0]->inputs().size() != 2)
    throw Error(model + ": forward gives " + options.head + " " +
                std::to_string(calls[0]->inputs().size() - 1) +
                " values (a parameter that others share is one), expected the embedding alone");
  Node* call = calls[0];
  const auto find = [&](const OutputLeaf& leaf) -> std::optional<Split> {
    if (!keeps_order(call->output(), leaf.value, module)) return std::nullopt;
    return Split{leaf, call->input(1), call->output()};
  };
  const auto what_else = [&](const OutputLeaf& leaf) {
    return " ends in " + last_steps(leaf.value) + ", expected " + options.head +
           " and at most a softmax and the like after it; name a submodule that ends in the logits";
  };
  const HeadBefore head_before{find, what_else};
  const auto split = find_split(*graph, options.output, head_before, model);
  FoundHead head;
  head.layers = submodule_head(*submodule, options.head, model);
  head.name = options.head;
  head.prefix = options.head + ".";
  head.output = split.leaf.path;
  check_not_shared(head, *graph, {call}, module, model);
  cut(graph, split, head);
  return head;
}

}  // namespace

FoundHead find_head(const Module& module, const SplitOptions& options, const std::string& model) {
  if (!module.find_method("forward")) throw Error(model + " has no method forward");
  if (options.head == "auto") return linear_layer_head(module, options.output, model);
  try {
    auto linear = linear_layer_head(module, options.output, model);
    if (linear.name == options.head) return linear;
  } catch (const Error& error) {
    const bool about_it =
        std::string(error.what()).find(": the head " + options.head + " ") != std::string::npos;
    if (about_it) throw;  // else the head asked for is another
  }
  return whole_submodule_head(module, options, model);
}

}  // namespace neurontune
