#pragma once

#include <filesystem>
#include <system_error>

namespace neurontune {

/// The file that lies in every folder this program writes results or embeddings into. It lists the
/// files that the program made there.
inline constexpr const char* kFolderMark = ".neurontune.json";

/// Whether this program made results in a folder.
inline bool is_marked(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / kFolderMark, ignored);
}

}  // namespace neurontune
