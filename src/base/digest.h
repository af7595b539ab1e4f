#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace neurontune {

/// XXH3 in 128 bits: a digest against change by accident, not against forgery. Its text is the one
/// that `xxhsum -H2` prints: 32 hexadecimal digits.
class Digest {
 public:
  Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void add(const void* data, std::size_t bytes);
  void add(std::string_view text) { add(text.data(), text.size()); }

  /// Of all that was added so far; more may follow.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of a text.
std::string text_digest(std::string_view text);

/// The digest of a file's content, read block by block.
/// @throws Error naming the file if it cannot be read
std::string content_digest(const std::filesystem::path& path);

}  // namespace neurontune
