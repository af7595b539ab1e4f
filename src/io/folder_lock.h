#pragma once

#include <filesystem>

namespace neurontune {

/// Keeps other processes, and other threads of this one, from writing into a folder while it lives.
///
/// The lock is one of the file FOLDER/.neurontune.lock (flock), which stays behind, unlocked. A
/// file system that has no locks lets everyone in.
class FolderLock {
 public:
  /// @throws Error naming the folder, and who holds it, if it is locked, or if no file can be
  ///         created in it
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int file_ = -1;
};

}  // namespace neurontune
