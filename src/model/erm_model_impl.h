#pragma once

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/head_search.h"
#include "neurontune/model/erm_model.h"

namespace neurontune {

struct ErmModel::Impl {
  std::filesystem::path path;
  torch::jit::Module module;  // in evaluation mode
  at::Device device;
  FoundHead head;
  std::unique_ptr<torch::jit::GraphFunction> features;  // head.features, made ready to run
  std::vector<ModelInput> inputs;

  std::string name() const { return path.string(); }  // in messages
};

}  // namespace neurontune
