#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <optional>

namespace neurontune {

/// A TorchScript file: its module, and the extra files that travel in it.
struct Archive {
  torch::jit::Module module;
  torch::jit::ExtraFilesMap extra_files;  ///< name → bytes
};

/// Reads a file that torch.jit.save wrote.
///
/// @param device where its tensors go; none: where they were when it was saved
/// @throws Error naming the file, what it is instead of a TorchScript archive, and what to do
Archive read_archive(const std::filesystem::path& path, std::optional<at::Device> device);

/// Writes a TorchScript file. It appears by rename when it is whole, and its bytes do not depend on
/// its name: the root folder in the archive is always "model".
///
/// @throws Error naming the file if it cannot be written
void write_archive(const Archive& archive, const std::filesystem::path& path);

}  // namespace neurontune
