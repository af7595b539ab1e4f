#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <optional>

namespace neurontune {

/// The one number that a value consists of, in whatever shape, where it follows from the module's
/// parameters, buffers and constants alone: a temperature, or exp(scale), expanded to the logits.
/// Nothing where it depends on the input, on the run, or is several numbers.
std::optional<double> known_number(const torch::jit::Value* value,
                                   const torch::jit::Module& module);

}  // namespace neurontune
