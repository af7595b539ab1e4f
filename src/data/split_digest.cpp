#include "data/split_digest.h"

#include <ATen/ATen.h>

#include <vector>

#include "neurontune/base/error.h"
#include "neurontune/io/safetensors.h"

namespace neurontune {
namespace {

const std::vector<std::string> kTensors = {"embeddings", "labels", "attributes"};

}  // namespace

void add_tensor(Digest& digest, const at::Tensor& tensor) {
  const auto bytes = tensor.detach().to(at::kCPU).contiguous();
  digest.add(bytes.const_data_ptr(), bytes.nbytes());
}

std::string split_digest(const std::map<std::string, at::Tensor>& tensors) {
  Digest digest;
  for (const auto& name : kTensors)
    if (const auto found = tensors.find(name); found != tensors.end())
      add_tensor(digest, found->second);
  return digest.text();
}

void check_split_digest(const std::filesystem::path& path) {
  if (path.extension() != ".safetensors") return;
  const auto stored = stored_digest(path);
  if (stored.empty()) return;
  if (const auto found = split_digest(read_safetensors(path, kTensors)); found != stored)
    throw Error(path.string() + ": is damaged: its tensors have the digest " + found +
                ", its header says " + stored);
}

}  // namespace neurontune
