#pragma once

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/evaluation_mode.h"
#include "model/head_search.h"
#include "neurontune/model/erm_model.h"

namespace neurontune {

/// Where the loaded file holds a tensor of the head.
struct SavedTensor {
  std::string name;    ///< as in messages
  std::string record;  ///< of the file
  at::Tensor tensor;   ///< a copy, in a storage of its own that is laid out as the record is
};

/// A copy in a storage of its own with the same strides and offset.
at::Tensor twin_of(const at::Tensor& tensor);

struct ErmModel::Impl {
  std::filesystem::path path;
  torch::jit::Module module;  // in evaluation mode, on `device`
  at::Device device;
  FoundHead head;
  std::vector<SavedTensor> saved;                              // as head.layers.all()
  std::optional<ChangedRecord> evaluation;                     // if the file is in training mode
  std::unique_ptr<torch::jit::GraphFunction> features, after;  // the head's graphs, ready to run
  std::optional<at::ScalarType> input_type;  // of floating inputs; none: as they come
  std::vector<ModelInput> inputs;
  bool channels_last = false;  // whether images go into the features so

  std::string name() const { return path.string(); }  // in messages

  /// self and copies of the inputs on the model's device, completed with forward's defaults.
  /// Copies, as a model may work on its input in place.
  torch::jit::Stack arguments(const std::vector<at::Tensor>& tensors) const;

  /// The steps after the head.
  at::Tensor output_of(const at::Tensor& logits, const std::vector<at::Tensor>& tensors) const;
};

}  // namespace neurontune
