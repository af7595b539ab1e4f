#include <ATen/Functions.h>

#include <map>
#include <string>

#include "base/describe.h"
#include "model/archive.h"
#include "model/erm_model_impl.h"
#include "model/torchscript.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

void check_part(const at::Tensor& found, at::IntArrayRef expected, const std::string& what) {
  if (!found.defined()) throw Error(what + " is undefined");
  if (found.sizes() != expected) {
    throw Error(what + " has the shape " + describe(found.sizes()) + ", expected " +
                describe(expected));
  }
  if (!found.isfinite().all().item<bool>()) throw Error(what + " holds NaN or infinite values");
}

void check_replacement(const Head& replacement, const Head& own, const FoundHead& found,
                       const std::string& model) {
  const std::string context = "the new head for " + model + ": ";
  check_part(replacement.weight, own.weight.sizes(), context + "weight");
  if (replacement.bias.defined()) {
    check_part(replacement.bias, {own.weight.size(0)}, context + "bias");
    if (!own.bias.defined() && replacement.bias.count_nonzero().item<int64_t>() != 0)
      throw Error(context + "bias is not zero, but the model's head " + found.name +
                  " has no bias");
  }
  if (replacement.later_parameters.size() != own.later_parameters.size())
    throw Error(context + "it has " + std::to_string(replacement.later_parameters.size()) +
                " parameters after the first layer, expected " +
                std::to_string(own.later_parameters.size()));
  for (size_t i = 0; i < own.later_parameters.size(); ++i)
    check_part(replacement.later_parameters[i], own.later_parameters[i].sizes(),
               context + own.later_layers->parameter_names[i]);
}

std::string bytes_of(const SavedTensor& saved) {
  const auto& storage = saved.tensor.storage();
  return {static_cast<const char*>(storage.data()), storage.nbytes()};
}

/// The head's tensors in the order of HeadLayers::all, as the file has them.
std::vector<at::Tensor> tensors_of(const Head& head, const HeadLayers& layers) {
  const auto filed = head.is_linear() && layers.single_logit ? one_logit(head) : head;
  std::vector<at::Tensor> tensors = {layers.transposed ? filed.weight.t() : filed.weight};
  if (layers.bias.tensor.defined())
    tensors.push_back(filed.bias.defined() ? filed.bias : at::zeros({filed.weight.size(0)}));
  tensors.insert(tensors.end(), filed.later_parameters.begin(), filed.later_parameters.end());
  return tensors;
}

[[noreturn]] void refuse_changed(const std::filesystem::path& path, const std::string& what) {
  throw Error(path.string() + " has changed since it was loaded: its " + what);
}

void check_unchanged(const std::filesystem::path& path, const SavedTensor& saved) {
  if (read_record(path, saved.record) != bytes_of(saved))
    refuse_changed(path, (saved.name.empty() ? "head" : saved.name) + " holds other numbers");
}

}  // namespace

at::Tensor twin_of(const at::Tensor& tensor) {
  const auto& storage = tensor.storage();
  const auto elements = static_cast<int64_t>(storage.nbytes() / tensor.element_size());
  const auto whole = at::empty({0}, tensor.options().requires_grad(false))
                         .set_(storage, 0, {elements}, {1})
                         .clone();
  return at::empty({0}, whole.options())
      .set_(whole.storage(), tensor.storage_offset(), tensor.sizes(), tensor.strides());
}

void ErmModel::save_with_head(const Head& head, const std::filesystem::path& path) const {
  const auto& layers = impl_->head.layers;
  check_replacement(head, this->head(), impl_->head, impl_->name());
  std::map<std::string, std::string> replaced;
  torchscript::call(impl_->name(), [&] {
    const auto tensors = tensors_of(head, layers);
    for (size_t i = 0; i < impl_->saved.size(); ++i) {
      auto saved = impl_->saved[i];
      check_unchanged(impl_->path, saved);
      saved.tensor = twin_of(saved.tensor);
      saved.tensor.copy_(tensors[i]);
      if (!saved.tensor.isfinite().all().item<bool>())
        throw Error("the new head for " + impl_->name() + ": " + saved.name +
                    " is too large for the model's " + c10::toString(saved.tensor.scalar_type()));
      replaced[saved.record] = bytes_of(saved);
    }
  });
  if (const auto& change = impl_->evaluation) {
    if (read_record(impl_->path, change->name) != change->loaded)
      refuse_changed(impl_->path, change->name + " is another");
    replaced[change->name] = change->written;
  }
  copy_archive(impl_->path, path, replaced);
}

}  // namespace neurontune
