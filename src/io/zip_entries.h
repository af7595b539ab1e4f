#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace neurontune {

/// A file in a zip archive. All places are offsets in the archive.
struct ZipEntry {
  std::string name;
  bool stored = false;     ///< as it is, not compressed
  uint64_t size = 0;       ///< of the content
  uint64_t content = 0;    ///< where the content starts
  uint64_t header = 0;     ///< where its local header starts
  uint64_t directory = 0;  ///< where its record in the central directory starts
};

/// Bytes to write over an archive's own.
struct Overwrite {
  uint64_t place = 0;
  std::string bytes;
};

/// The files of a zip archive (zip64 too), in the order of its directory. No library gives the
/// places that changing an archive of many gigabytes in place needs.
/// @throws Error naming the archive if it is damaged: its parts disagree, or a name is there twice
std::vector<ZipEntry> read_zip_entries(const std::filesystem::path& archive);

/// Reads every entry once and compares its checksum, which TorchScript does not.
/// @throws Error naming the archive and the first entry that is not what was written
void check_zip_contents(const std::filesystem::path& archive);

/// What has to be written so that a stored entry holds other content of the same size: the content
/// and its checksums.
/// @throws Error naming the archive if the entry is compressed or of another size
std::vector<Overwrite> overwriting(const std::filesystem::path& archive, const ZipEntry& entry,
                                   const std::string& content);

}  // namespace neurontune
