#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <optional>
#include <string>

namespace neurontune {

/// Calls visit on every node of a block, those of inner blocks after the one that holds them.
void for_each_node(torch::jit::Block* block, const std::function<void(torch::jit::Node*)>& visit);

/// Lets all that uses a node's output use a constant of this value; nothing where none can be made.
void replace_by_constant(torch::jit::Node* node, const c10::IValue& value);

/// A value that is known without running the model.
struct KnownValue {
  c10::IValue value;
  std::string path;  ///< of the attribute; empty for constants and the module itself
};

/// The module, its attributes and constants; nothing for what is computed.
std::optional<KnownValue> resolve(const torch::jit::Value* value, const torch::jit::Module& module);

}  // namespace neurontune
