#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <memory>

namespace neurontune::testing_support {

/// Writes a TorchScript model: features relu(x), and the head `fc`.
inline void write_linear_model(const std::filesystem::path& path, const at::Tensor& weight,
                               const at::Tensor& bias) {
  const auto code = std::make_shared<torch::jit::CompilationUnit>();
  torch::jit::Module layer(c10::QualifiedName("neurontune.tests.Layer"), code);
  layer.register_parameter("weight", weight.clone(), false);
  layer.register_parameter("bias", bias.clone(), false);
  layer.define("def forward(self, x):\n    return torch.linear(x, self.weight, self.bias)\n");
  torch::jit::Module model(c10::QualifiedName("neurontune.tests.Linear"), code);
  model.register_module("fc", layer);
  model.register_attribute("training", c10::BoolType::get(), false);
  model.define("def forward(self, inputs):\n    return self.fc.forward(torch.relu(inputs))\n");
  model.save(path.string());
}

}  // namespace neurontune::testing_support
