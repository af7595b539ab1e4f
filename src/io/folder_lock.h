#pragma once

#include <filesystem>

namespace neurontune {

/// Keeps other processes, and other threads of this one, from writing into a folder while it lives.
///
/// The lock is one of the file FOLDER/.neurontune.lock (flock), which stays behind, unlocked. Who
/// holds it may remove it. A file system that has no locks lets everyone in.
class FolderLock {
 public:
  /// @throws Error naming the folder, and who holds it, if it is locked, or if no file can be
  ///         created in it
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

  static constexpr const char* kFile = ".neurontune.lock";

 private:
  /// Whether the lock that is held is still that of the folder: its last holder may have removed
  /// both.
  bool is_current(const std::filesystem::path& path) const;

  int file_ = -1;
};

}  // namespace neurontune
