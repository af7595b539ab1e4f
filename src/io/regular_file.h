#pragma once

#include <cstdint>
#include <filesystem>

namespace neurontune {

/// A file open for reading. A pipe would be waited for, and a device may never end: neither is
/// opened.
class RegularFile {
 public:
  /// @throws Error naming the file if it cannot be opened or is a folder, pipe, socket or device
  explicit RegularFile(const std::filesystem::path& path);
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;
  ~RegularFile();

  int descriptor() const { return descriptor_; }
  uint64_t size() const { return size_; }  ///< when it was opened

 private:
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace neurontune
