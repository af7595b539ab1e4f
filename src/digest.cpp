#include "digest.h"

#include <c10/util/hash.h>

#include <fstream>

#include "neurontune/error.h"

namespace neurontune {

std::string text_digest(const std::string& text) { return c10::sha1(text).str(); }

std::string content_digest(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path.string() + ": cannot be read");
  // A chain over blocks: the file need not be in memory whole.
  std::string digest, block(1 << 20, '\0');
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
    digest = text_digest(digest + block.substr(0, static_cast<std::size_t>(file.gcount())));
  return digest;
}

}  // namespace neurontune
