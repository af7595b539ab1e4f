#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/data/embeddings.h"
#include "neurontune/io/safetensors.h"
#include "worlds.h"

namespace neurontune {

/// Writes FOLDER/NAME.safetensors as a folder of embeddings has it.
/// @param attributes may be undefined
inline void write_embedding_split(const std::filesystem::path& folder, const std::string& name,
                                  const at::Tensor& embeddings, const at::Tensor& labels,
                                  const at::Tensor& attributes = {}) {
  std::vector<std::pair<std::string, at::Tensor>> tensors = {{"embeddings", embeddings},
                                                             {"labels", labels}};
  if (attributes.defined()) tensors.emplace_back("attributes", attributes);
  write_safetensors(folder / (name + ".safetensors"), tensors);
}

/// Writes the splits train, val and test of a world with a shortcut, and its head.
inline void write_world(const std::filesystem::path& folder, int64_t samples = 300) {
  uint64_t seed = 1;
  for (const auto* name : {"train", "val", "test"}) {
    const auto world = world_with_shortcut(seed++, samples);
    write_embedding_split(folder, name, world.embeddings, world.labels, world.attributes);
  }
  write_head(folder / "head.safetensors", world_with_shortcut().erm);
}

}  // namespace neurontune
