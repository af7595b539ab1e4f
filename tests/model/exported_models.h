#pragma once

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <filesystem>
#include <string>
#include <vector>

#include "neurontune/base/error.h"
#include "neurontune/model/erm_model.h"

namespace neurontune::testing_support {

/// A file that the Python scripts beside this one wrote; ctest runs them first.
inline std::filesystem::path model_path(const std::string& name) {
  const auto path = std::filesystem::path(NEURONTUNE_TEST_MODELS) / name;
  EXPECT_TRUE(std::filesystem::exists(path)) << path << ": tests/model/export_*.py write it";
  return path;
}

/// What forward hooks saw in PyTorch.
struct Expected {
  std::vector<at::Tensor> inputs;
  at::Tensor features;
  at::Tensor logits;
  at::Tensor output;  ///< the logits, unless more comes after the head
};

inline Expected expected_of(const std::string& name) {
  const auto module = torch::jit::load(model_path(name + ".expected.pt").string());
  const auto logits = module.attr("logits").toTensor();
  return {module.attr("inputs").toTensorVector(), module.attr("features").toTensor(), logits,
          module.hasattr("output") ? module.attr("output").toTensor() : logits};
}

/// The message of the Error that a call throws; also fails if it is more than a line.
template <typename Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

inline std::string load_error(const std::filesystem::path& path, const SplitOptions& options = {}) {
  return error_of([&] { ErmModel::load(path, at::kCPU, options); });
}

/// The model's head scaled, with columns 0 and 2 zeroed as masked neurons are.
inline Head tuned_head(const ErmModel& model) {
  Head head = model.head();
  head.weight.mul_(-0.5).add_(0.125);
  if (head.single_logit && head.is_linear()) head.weight.select(0, 0).fill_(0.25);
  head.weight.select(1, 0).zero_();
  head.weight.select(1, 2).zero_();
  if (head.bias.defined()) head.bias.add_(1.0).select(0, 0).sub_(0.5);
  for (auto& parameter : head.later_parameters) parameter.mul_(1.5).add_(0.0625);
  return head;
}

}  // namespace neurontune::testing_support
