#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace neurontune {

/// A file of results by a name of the user's, outside of any OutputFolder. An earlier one is
/// replaced; a file that does not begin as such files do is somebody else's, and stays.
class ResultFile {
 public:
  /// Makes the folder, and removes an earlier file: if the command fails, none tells of another.
  ///
  /// @param path      empty for no file: then there is nothing to write
  /// @param beginning of every such file; must outlive this object
  /// @throws Error naming the file if there is one that does not begin so, or that cannot be read
  ///         or removed, or a folder that cannot be made
  ResultFile(std::filesystem::path path, std::string_view beginning);

  /// The file appears by rename.
  /// @param content begins with `beginning`
  /// @throws Error naming the file if it cannot be written, or has become somebody else's
  void write(std::string_view content) const;

 private:
  void check_ours() const;

  std::filesystem::path path_;
  std::string_view beginning_;
};

}  // namespace neurontune
