#include <ATen/Functions.h>

#include <optional>
#include <string>

#include "model/archive.h"
#include "model/erm_model_impl.h"
#include "model/head_search.h"
#include "model/torchscript.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

void check_shape(const at::Tensor& found, at::IntArrayRef expected, const std::string& what) {
  if (found.sizes() != expected) {
    throw Error(what + " has the shape " + c10::str(found.sizes()) + ", expected " +
                c10::str(expected));
  }
  if (!found.isfinite().all().item<bool>()) throw Error(what + " holds NaN or infinite values");
}

void check_replacement(const LinearHead& replacement, const FoundHead& own,
                       const std::string& model) {
  const std::string context = "the new head for " + model + ": ";
  const auto weight = own.weight_by_class();
  if (!replacement.weight.defined()) throw Error(context + "weight is undefined");
  check_shape(replacement.weight, weight.sizes(), context + "weight");
  if (!replacement.bias.defined()) return;
  check_shape(replacement.bias, {weight.size(0)}, context + "bias");
  if (!own.bias.tensor.defined() && replacement.bias.count_nonzero().item<int64_t>() != 0) {
    throw Error(context + "bias is not zero, but the model's head " + own.name + " has no bias");
  }
}

/// The archive as it was saved, on the devices it was saved from where this machine has them.
Archive read_as_saved(const std::filesystem::path& path, at::Device otherwise) {
  try {
    return read_archive(path, std::nullopt);
  } catch (const Error&) {
    return read_archive(path, otherwise);
  }
}

void check_unchanged(const FoundHead& loaded, const FoundHead& read, const std::string& model) {
  const auto same = [](const at::Tensor& a, const at::Tensor& b) {
    if (!a.defined() || !b.defined()) return a.defined() == b.defined();
    return a.scalar_type() == b.scalar_type() && at::equal(a.cpu(), b.cpu());
  };
  if (loaded.name != read.name || !same(loaded.weight.tensor, read.weight.tensor) ||
      !same(loaded.bias.tensor, read.bias.tensor)) {
    throw Error(model + " has changed since it was loaded: its head " + read.name +
                " holds other numbers");
  }
}

void check_not_shared(const FoundHead& head, const torch::jit::Module& module,
                      const std::string& model) {
  const std::string other = shared_with(head, module);
  if (!other.empty()) {
    throw Error(model + ": the head " + head.name + " shares memory with " + other +
                ", which would change with it; export the model with a head of its own");
  }
}

void write_head_into(FoundHead& head, const LinearHead& replacement) {
  head.weight_by_class().copy_(replacement.weight);
  if (!head.bias.tensor.defined()) return;
  if (replacement.bias.defined()) {
    head.bias.tensor.copy_(replacement.bias);
  } else {
    head.bias.tensor.zero_();
  }
}

}  // namespace

void ErmModel::save_with_head(const LinearHead& head, const std::filesystem::path& path) const {
  check_replacement(head, impl_->head, impl_->name());
  // Read anew: this object keeps its head, and flags such as `training` stay as they were saved.
  Archive archive = read_as_saved(impl_->path, impl_->device);
  torchscript::call(impl_->name(), [&] {
    auto own = find_head(archive.module, impl_->name());
    check_unchanged(impl_->head, own, impl_->name());
    check_not_shared(own, archive.module, impl_->name());
    write_head_into(own, head);
  });
  write_archive(archive, path);
}

}  // namespace neurontune
