#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/folder_lock.h"

namespace neurontune {

/// A folder that a command writes results into. While it lives no one else writes there, and
/// nothing that this program did not make is replaced or removed.
///
/// What the program made is listed in FOLDER/.neurontune.json, with the digest that each file had
/// when it was finished. A file that is not listed, or has changed since, is somebody else's.
class OutputFolder {
 public:
  /// Makes the folder, locks it, and removes what killed processes left unfinished.
  ///
  /// @param files those that may be written, by name
  /// @throws Error if the folder cannot be made or written into, another process writes there, or
  ///         one of the files is somebody else's; the text names it
  OutputFolder(std::filesystem::path folder, const std::vector<std::string>& files);
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// Takes back the mark, the lock and the folder that it made, where nothing was written.
  ~OutputFolder();

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path operator/(const std::string& file) const { return folder_ / file; }

  /// @throws Error naming the file if it is somebody else's
  void check(const std::string& file) const;

  /// Notes that these files are about to be written: until they are finished, whatever they hold is
  /// the program's own.
  void begin(const std::vector<std::string>& files);

  /// Notes files as they are now.
  /// @return their digests (content_digest), by name
  std::map<std::string, std::string> finish(const std::vector<std::string>& files);

  /// Removes a file of an earlier run. One that is somebody else's stays.
  void remove(const std::string& file);

 private:
  bool is_ours(const std::string& file) const;
  void read_mark();
  void write_mark() const;

  std::filesystem::path folder_;
  bool is_new_;  ///< made here
  FolderLock lock_;
  std::map<std::string, std::string> made_;  ///< by name: a digest, or "" while it is written
};

/// Refuses a folder that holds the results of another command, of which one would be replaced by a
/// file of the same name.
/// @param marks files that only the other commands write
/// @throws OptionError naming the one that is there
void check_holds_no_other(const std::filesystem::path& folder,
                          const std::vector<std::string>& marks);

/// Refuses a folder that is a part of the data: one inside of it that holds anything, but no
/// results.
/// @throws OptionError naming the folder
void check_outside_data(const std::filesystem::path& folder, const std::filesystem::path& data);

/// Whether a path is one of the files that a command would write into a folder: what it reads is
/// not written over.
bool is_file_of(const std::filesystem::path& path, const std::filesystem::path& folder,
                const std::vector<std::string>& files);

}  // namespace neurontune
