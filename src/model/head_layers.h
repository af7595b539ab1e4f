#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <string>
#include <vector>

#include "model/linear_layer.h"
#include "neurontune/core/head.h"

namespace neurontune {

/// A tensor of the head, where the module has it.
struct HeadTensor {
  at::Tensor tensor;  ///< the module's own; undefined if none
  std::string name;   ///< the attribute's path ("weight"); empty if a constant or none
};

/// The layers of a head. Names are those within the module that was searched.
struct HeadLayers {
  HeadTensor weight;  ///< [C, M], or [M, C] if transposed; H for C if there are later layers
  HeadTensor bias;    ///< [C], or undefined
  bool transposed = false;
  bool single_logit = false;                        ///< one for two classes
  std::vector<HeadTensor> later;                    ///< parameters of the later layers
  std::shared_ptr<const LaterLayers> later_layers;  ///< null if there are none

  at::Tensor weight_by_output() const;  ///< [C, M], the module's own memory
  std::vector<HeadTensor> all() const;  ///< weight, bias if there is one, and the later ones

  /// A copy of the numbers as the library has them: two classes for one logit.
  Head head() const;
};

/// A linear layer as a head by itself.
/// @throws Error if its weight and bias are not the module's parameters or constants
HeadLayers linear_head(const LinearLayer& layer, const torch::jit::Module& module,
                       const std::string& model);

/// A whole submodule as a head.
/// @throws Error if its first layer is not linear, or it does not turn one embedding into logits
HeadLayers submodule_head(const torch::jit::Module& submodule, const std::string& name,
                          const std::string& model);

}  // namespace neurontune
