#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "base/digest.h"

namespace neurontune {

/// Adds a tensor's bytes, row by row, wherever it lies.
void add_tensor(Digest& digest, const at::Tensor& tensor);

/// The digest of a split's tensors that its file carries: the bytes of `embeddings`, `labels` and,
/// where there are any, `attributes`.
std::string split_digest(const std::map<std::string, at::Tensor>& tensors);

/// Holds the digest that a split's file carries against its tensors. One that carries none, or is
/// no .safetensors, is as good as any.
/// @throws Error naming the file if they differ: it was damaged, or written over
void check_split_digest(const std::filesystem::path& path);

}  // namespace neurontune
