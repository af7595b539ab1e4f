#include "neurontune/model/erm_model.h"

#include <ATen/Context.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>

#include <string>
#include <utility>

#include "model/archive.h"
#include "model/erm_model_impl.h"
#include "model/torchscript.h"
#include "neurontune/error.h"

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
    inputs.push_back({argument.name(), type});
  }
  return inputs;
}

void check_available(at::Device device, const std::string& model) {
  if (device.is_cuda() && !at::hasCUDA()) {
    throw Error(model + " cannot be loaded to " + device.str() + ": no CUDA device is available");
  }
}

std::string names_of(const std::vector<ModelInput>& inputs) {
  std::string names;
  for (const auto& input : inputs) names += (names.empty() ? "" : ", ") + input.name;
  return names;
}

/// self and copies of the inputs on the model's device, completed with forward's defaults. Copies,
/// as a model may work on its input in place.
torch::jit::Stack arguments(const Module& module, const std::vector<ModelInput>& expected,
                            const std::vector<at::Tensor>& inputs, at::Device device,
                            const std::string& model) {
  const auto& declared = forward_schema(module).arguments();
  size_t required = 0;
  for (size_t i = 1; i < declared.size(); ++i) required += declared[i].default_value() ? 0 : 1;
  if (inputs.size() < required || inputs.size() > expected.size()) {
    throw Error(model + ": forward takes " + std::to_string(expected.size()) + " inputs (" +
                names_of(expected) + "), got " + std::to_string(inputs.size()));
  }
  torch::jit::Stack stack{module._ivalue()};
  for (const auto& input : inputs) {
    stack.emplace_back(
        input.to(device, input.scalar_type(), /*non_blocking=*/false, /*copy=*/true));
  }
  for (size_t i = stack.size(); i < declared.size(); ++i) {
    stack.push_back(*declared[i].default_value());
  }
  return stack;
}

/// The one tensor of rank 2 and `width` columns that a call leaves on the stack.
at::Tensor result(torch::jit::Stack& stack, int64_t width, const std::string& what,
                  const char* advice) {
  const auto value = torch::jit::pop(stack);
  if (!value.isTensor()) throw Error(what + " is a " + value.tagKind() + ", expected a tensor");
  auto tensor = value.toTensor();
  if (tensor.dim() != 2 || tensor.size(1) != width) {
    throw Error(what + " has the shape " + c10::str(tensor.sizes()) + ", expected [N, " +
                std::to_string(width) + "]" + advice);
  }
  return tensor;
}

}  // namespace

ErmModel::ErmModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ErmModel::ErmModel(ErmModel&&) noexcept = default;
ErmModel& ErmModel::operator=(ErmModel&&) noexcept = default;
ErmModel::~ErmModel() = default;

ErmModel ErmModel::load(const std::filesystem::path& path, at::Device device,
                        const std::string& head) {
  check_available(device, path.string());
  auto module = read_archive(path, device).module;
  return torchscript::call(path.string(), [&] {
    module.eval();
    auto found = find_head(module, path.string());
    if (head != "auto" && head != found.name) {
      throw Error(path.string() + ": the last linear layer is " + found.name + ", expected " +
                  head);
    }
    auto inputs = model_inputs(module, path.string());
    auto features = std::make_unique<torch::jit::GraphFunction>("features", found.features,
                                                                /*function_creator=*/nullptr);
    return ErmModel(std::make_unique<Impl>(Impl{path, std::move(module), device, std::move(found),
                                                std::move(features), std::move(inputs)}));
  });
}

const std::string& ErmModel::head_name() const { return impl_->head.name; }
const std::vector<ModelInput>& ErmModel::inputs() const { return impl_->inputs; }
at::Device ErmModel::device() const { return impl_->device; }

LinearHead ErmModel::head() const {
  const auto copy = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().clone(at::MemoryFormat::Contiguous) : tensor;
  };
  return {copy(impl_->head.weight_by_class()), copy(impl_->head.bias.tensor)};
}

at::Tensor ErmModel::features(const std::vector<at::Tensor>& inputs) const {
  return torchscript::call(impl_->name(), [&] {
    auto stack = arguments(impl_->module, impl_->inputs, inputs, impl_->device, impl_->name());
    impl_->features->run(stack);
    return result(stack, impl_->head.weight_by_class().size(1),
                  impl_->name() + ": the input of the head " + impl_->head.name,
                  ": one embedding a sample");
  });
}

at::Tensor ErmModel::logits(const std::vector<at::Tensor>& inputs) const {
  return torchscript::call(impl_->name(), [&] {
    auto stack = arguments(impl_->module, impl_->inputs, inputs, impl_->device, impl_->name());
    impl_->module.get_method("forward").function().run(stack);
    return result(stack, impl_->head.weight_by_class().size(0), impl_->name() + ": the output",
                  ": the logits of one sample a row");
  });
}

}  // namespace neurontune
