#pragma once

#include <filesystem>

namespace neurontune {

/// Looks at a file's first bytes and records before TorchScript does.
/// @throws Error if it is no TorchScript archive: what it is instead, and what to do
void check_is_torchscript(const std::filesystem::path& path);

}  // namespace neurontune
