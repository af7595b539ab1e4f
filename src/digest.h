#pragma once

#include <filesystem>
#include <string>

namespace neurontune {

/// SHA-1 of a text, in hexadecimal.
std::string text_digest(const std::string& text);

/// A digest of a file's content, read block by block.
/// @throws Error naming the file if it cannot be read
std::string content_digest(const std::filesystem::path& path);

}  // namespace neurontune
