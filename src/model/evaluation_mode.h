#pragma once

#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <optional>
#include <string>

namespace neurontune {

/// A record of the loaded file that is written back with other bytes, as many.
struct ChangedRecord {
  std::string name;
  std::string loaded;   ///< its content in the loaded file
  std::string written;  ///< its content in files that are written
};

/// What puts a file's modules into evaluation mode, in which the model is judged; nothing if they
/// are in it. A file that was scripted in training mode would else predict otherwise than judged.
///
/// @param module as loaded, its `training` flags untouched
/// @throws Error naming the file if the flags cannot be found in it
std::optional<ChangedRecord> evaluation_mode(const std::filesystem::path& path,
                                             const torch::jit::Module& module);

}  // namespace neurontune
