#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/output_folder.h"

namespace neurontune {

inline constexpr const char* kHeadFile = "head.safetensors";  ///< the ERM model's
inline constexpr const char* kCacheFile = "cache.json";       ///< what each split was made from

/// The folder that a data set's embeddings are written into: an OutputFolder of the head, the
/// names, the cache's list and the splits.
class EmbeddingOutput {
 public:
  /// @param splits names of those that may be written
  /// @throws Error as OutputFolder does; also where a split of somebody else's lies there, since
  ///         the folder is read as a whole
  EmbeddingOutput(const std::filesystem::path& folder, const std::vector<std::string>& splits);

  /// Removes a split.
  void remove_split(const std::string& split);

  /// Removes a split, which is about to be written anew.
  void begin_split(const std::string& split);

  /// Removes what is known of the data as a whole, and notes what is about to be written anew.
  void begin_data(bool has_names);

  /// Notes the head, the names and the ids as they are now: from now on a change is somebody
  /// else's. Splits and cache.json carry their own digests or can be made anew.
  void finish(const std::vector<std::string>& splits, bool has_names);

  /// Removes what killed processes left of splits that are not written any more.
  void remove_unfinished_but(const std::vector<std::string>& splits);

 private:
  OutputFolder folder_;
};

/// Looks whether embeddings of `data` can be written into a folder, before what may take long.
/// @throws OptionError if the folder is the data's own
/// @throws Error as EmbeddingOutput does
void check_embedding_output(const std::filesystem::path& folder, const std::filesystem::path& data);

}  // namespace neurontune
