#include "neurontune/model/erm_model.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/describe.h"
#include "base/digest.h"
#include "device/full_precision.h"
#include "model/archive.h"
#include "model/erm_model_impl.h"
#include "model/frozen_features.h"
#include "model/graph_walk.h"
#include "model/placement.h"
#include "model/torchscript.h"
#include "model/verify.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using torch::jit::Module;

const c10::FunctionSchema& forward_schema(const Module& module) {
  return module.get_method("forward").function().getSchema();
}

bool takes_tensor(const c10::Argument& argument) {
  return c10::TensorType::get()->isSubtypeOf(*argument.type());
}

/// forward's arguments less self.
std::vector<ModelInput> model_inputs(const Module& module, const std::string& model) {
  std::vector<ModelInput> inputs;
  const auto& arguments = forward_schema(module).arguments();
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const std::string type = argument.type()->annotation_str();
    if (!takes_tensor(argument) && !argument.default_value()) {
      throw Error(c10::str(model, ": forward's argument ", argument.name(), " is ", type,
                           " without a default, expected Tensor"));
    }
    inputs.push_back({argument.name(), type, !argument.default_value()});
  }
  return inputs;
}

void check_available(at::Device device, const std::string& model) {
  if (device.is_cuda() && !at::hasCUDA()) {
    throw Error(model + " cannot be loaded to " + device.str() + ": no CUDA device is available");
  }
}

std::string names_of(const std::vector<ModelInput>& inputs) {
  std::vector<std::string> names;
  for (const auto& input : inputs) names.push_back(input.name);
  return listed(names);
}

/// The dtype of the first layer's weight: that of the first matrix that the features use.
std::optional<at::ScalarType> input_type(const FoundHead& head, const Module& module) {
  std::optional<at::ScalarType> type;
  for_each_node(head.features->block(), [&](const torch::jit::Node* node) {
    for (const auto* input : node->inputs()) {
      if (type) return;
      const auto known = resolve(input, module);
      if (!known || !known->value.isTensor()) continue;
      const auto tensor = known->value.toTensor();
      if (tensor.defined() && tensor.is_floating_point() && tensor.dim() >= 2)
        type = tensor.scalar_type();
    }
  });
  return type;
}

/// Whether two places of a tensor lie at one address.
bool overlaps_itself(const at::Tensor& tensor) {
  std::vector<std::pair<int64_t, int64_t>> dimensions;  // stride, size
  for (int64_t i = 0; i < tensor.dim(); ++i)
    if (tensor.size(i) > 1) dimensions.emplace_back(tensor.stride(i), tensor.size(i));
  std::sort(dimensions.begin(), dimensions.end());
  int64_t reach = 1;
  for (const auto& [stride, size] : dimensions) {
    if (stride < reach) return true;
    reach = stride * size;
  }
  return false;
}

std::vector<SavedTensor> saved_tensors(const FoundHead& head, const TensorRecords& records,
                                       const std::string& model) {
  std::vector<SavedTensor> saved;
  for (const auto& [tensor, name] : head.layers.all()) {
    const auto record = records.find(tensor);
    if (record.empty())
      throw Error(
          model + ": the head " + head.name +
          " is compressed in the file, or computed while it is loaded, so cannot be written "
          "back; load the model and save it again with torch.jit.save");
    if (overlaps_itself(tensor))
      throw Error(model + ": " + head.prefix + name +
                  " holds a number in several places (an expanded tensor); export the model with "
                  "a copy of it");
    const bool taken =
        std::any_of(saved.begin(), saved.end(),
                    [&, &record = record](const auto& one) { return one.record == record; });
    if (taken)
      throw Error(model + ": " + name +
                  " lies in one block of memory with another tensor of the "
                  "head " +
                  head.name + "; export the model with parameters of their own");
    saved.push_back({head.prefix + name, record, twin_of(tensor.detach())});
  }
  return saved;
}

void to_channels_last(torch::jit::Stack& stack) {
  for (auto& value : stack)
    if (value.isTensor() && value.toTensor().dim() == 4)
      value = value.toTensor().contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor tensor_in(const c10::IValue& value, const std::string& what) {
  if (!value.isTensor()) throw Error(what + " is a " + value.tagKind() + ", expected a tensor");
  return value.toTensor();
}

}  // namespace

torch::jit::Stack ErmModel::Impl::arguments(const std::vector<at::Tensor>& tensors) const {
  const auto& declared = forward_schema(module).arguments();
  size_t required = 0;
  for (size_t i = 1; i < declared.size(); ++i) required += declared[i].default_value() ? 0 : 1;
  if (tensors.size() < required || tensors.size() > inputs.size()) {
    throw Error(name() + ": forward takes " + std::to_string(inputs.size()) + " inputs (" +
                names_of(inputs) + "), got " + std::to_string(tensors.size()));
  }
  torch::jit::Stack stack{module._ivalue()};
  for (const auto& tensor : tensors) {
    const bool converts = input_type && tensor.is_floating_point();
    stack.emplace_back(tensor.to(device, converts ? *input_type : tensor.scalar_type(),
                                 /*non_blocking=*/false, /*copy=*/true));
  }
  for (size_t i = stack.size(); i < declared.size(); ++i) {
    stack.push_back(*declared[i].default_value());
  }
  return stack;
}

at::Tensor ErmModel::Impl::output_of(const at::Tensor& logits,
                                     const std::vector<at::Tensor>& tensors) const {
  auto stack = arguments(tensors);
  stack.emplace_back(logits);
  after->run(stack);
  return tensor_in(torch::jit::pop(stack), name() + ": the output");
}

ErmModel::ErmModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ErmModel::ErmModel(ErmModel&&) noexcept = default;
ErmModel& ErmModel::operator=(ErmModel&&) noexcept = default;
ErmModel::~ErmModel() = default;

ErmModel ErmModel::load(const std::filesystem::path& path, at::Device device,
                        const SplitOptions& options) {
  const auto name = path.string();
  check_available(device, name);
  auto [module, records] = read_archive(path);
  return torchscript::call(name, [&, &module = module, &records = records] {
    auto evaluation = evaluation_mode(path, module);
    module.eval();
    auto head = find_head(module, options, name);
    auto saved = saved_tensors(head, records, name);
    if (place(module, device)) head = find_head(module, options, name);
    auto inputs = model_inputs(module, name);
    const auto type = input_type(head, module);
    const auto function = [](const char* what, std::shared_ptr<torch::jit::Graph> graph) {
      return std::make_unique<torch::jit::GraphFunction>(what, std::move(graph),
                                                         /*function_creator=*/nullptr);
    };
    auto features = function("features", head.features), after = function("after", head.after);
    return ErmModel(std::make_unique<Impl>(Impl{
        path, std::move(module), device, std::move(head), std::move(saved), std::move(evaluation),
        std::move(features), std::move(after), type, std::move(inputs)}));
  });
}

const std::string& ErmModel::head_name() const { return impl_->head.name; }
std::vector<ModelInput> ErmModel::inputs() const { return impl_->inputs; }
at::Device ErmModel::device() const { return impl_->device; }
Head ErmModel::head() const { return impl_->head.layers.head(); }

std::string ErmModel::output_name() const { return OutputLeaf{impl_->head.output, nullptr}.name(); }

std::string ErmModel::fingerprint() const {
  return content_digest(impl_->path) + "\n" + head_name() + "\n" + output_name();
}

at::Tensor ErmModel::features(const std::vector<at::Tensor>& inputs) const {
  return torchscript::call(impl_->name(), [&] {
    auto stack = impl_->arguments(inputs);
    if (impl_->channels_last) to_channels_last(stack);
    impl_->features->run(stack);
    const auto what = impl_->name() + ": the input of the head " + impl_->head.name;
    auto embedding = tensor_in(torch::jit::pop(stack), what);
    const auto width = impl_->head.layers.weight_by_output().size(1);
    if (embedding.dim() != 2 || embedding.size(1) != width)
      throw Error(what + " has the shape " + describe(embedding.sizes()) + ", expected [N, " +
                  std::to_string(width) + "]: one embedding a sample");
    return embedding;
  });
}

bool ErmModel::speed_up(const std::vector<at::Tensor>& inputs) {
  const FullPrecision full_precision;
  const auto plain = features(inputs);
  auto graph = torchscript::call(
      impl_->name(), [&] { return frozen_features(*impl_->head.features, impl_->module); });
  if (graph == nullptr) return false;
  auto frozen = std::make_unique<torch::jit::GraphFunction>("features", std::move(graph), nullptr);
  std::swap(impl_->features, frozen);
  impl_->channels_last = true;
  try {
    const auto fast = features(inputs);
    if ((fast - plain).abs().max().item<double>() <= split_tolerance(plain)) return true;
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then the plain ones stay
  }
  std::swap(impl_->features, frozen);
  impl_->channels_last = false;
  return false;
}

at::Tensor ErmModel::output(const std::vector<at::Tensor>& inputs) const {
  return torchscript::call(impl_->name(), [&] {
    auto stack = impl_->arguments(inputs);
    impl_->module.get_method("forward").function().run(stack);
    return tensor_in(at_path(torch::jit::pop(stack), impl_->head.output),
                     impl_->name() + ": the output");
  });
}

}  // namespace neurontune
