#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace neurontune {

using ModelFunction = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

/// A model's output on some inputs, once it has shown that it depends on nothing else.
/// @throws Error if a number is not finite, or a sample's output depends on the run or the batch
at::Tensor verified_output(const ModelFunction& model, const std::vector<at::Tensor>& inputs,
                           const std::string& name);

/// How far a split model's output may be from the whole one's.
double split_tolerance(const at::Tensor& output);

/// How far an output in half precision may be from this one.
double low_precision_tolerance(const at::Tensor& output);

}  // namespace neurontune
