#pragma once

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <vector>

namespace neurontune {

/// The way to one of a model's outputs through its tuples, lists and dicts; empty where the model
/// returns one value.
using OutputPath = std::vector<std::string>;

/// A place in what a model returns.
struct OutputLeaf {
  OutputPath path;
  torch::jit::Value* value = nullptr;  ///< that the graph puts there

  std::string name() const;  ///< "logits", "0", "0.logits"
};

/// Every place of what a graph returns, in order: tuples by number or field, dicts by key.
std::vector<OutputLeaf> output_leaves(torch::jit::Value* returned);

/// What a run of the model put at a place.
c10::IValue at_path(c10::IValue returned, const OutputPath& path);

}  // namespace neurontune
