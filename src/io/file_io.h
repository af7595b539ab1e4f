#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "neurontune/io/unfinished.h"

namespace neurontune {

/// The whole content of a file.
/// @throws Error naming the file if it cannot be read, or is no regular file
std::string read_file(const std::filesystem::path& path);

/// "erm.pt, 4096 bytes", for messages; the name alone where there is no such file.
std::string sized(const std::filesystem::path& file);

/// Whether there is anything of that name: also a link to nothing.
bool entry_exists(const std::filesystem::path& path);

/// The name of this machine, which tells its processes from those of others on a shared disk.
std::string host_name();

/// A file that appears at its path only when it is whole: it is written as a hidden sibling and
/// renamed by `commit`. Destroyed before that, it leaves nothing, unless it is to be kept.
///
/// Links are never followed: neither the path nor its hidden sibling may be one.
class PartialFile {
 public:
  /// @throws Error naming the file if it cannot be created, its path is a link, a device or a
  ///         folder, or it is to be kept and another process writes it
  explicit PartialFile(std::filesystem::path path, Unfinished unfinished = Unfinished::removed);
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  const std::filesystem::path& path() const { return path_; }

  /// The size that the hidden sibling had: over 0 only where it is kept and an earlier process
  /// wrote it.
  uint64_t found_size() const { return found_size_; }

  /// Fixes the size; what is not written reads as zeros.
  void resize(uint64_t size);

  void write_at(const void* data, uint64_t size, uint64_t offset);

  /// Waits until what was written is on the disk.
  void sync();

  /// Where the content is until it is committed.
  const std::filesystem::path& partial_path() const { return partial_path_; }

  /// Gives the file its name. Nothing may be written afterwards.
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int error) const;

  std::filesystem::path path_, partial_path_;
  Unfinished unfinished_;
  int file_ = -1;
  uint64_t found_size_ = 0;
};

/// Writes a file that appears by rename.
/// @throws Error naming the file if it cannot be written
void write_file(const std::filesystem::path& path, std::string_view content);

/// Removes what killed processes of this host left in a folder: PartialFiles that were to be
/// removed. Those of other hosts stay, since nothing tells whether they still run.
void remove_abandoned(const std::filesystem::path& folder);

/// Makes a folder, and those above it, where there is none.
/// @throws Error naming the folder if it cannot be made
void make_folder(const std::filesystem::path& folder);

}  // namespace neurontune
