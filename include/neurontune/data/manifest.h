#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace neurontune {

/// A row of a manifest.
struct ManifestRow {
  std::string sample;  ///< as written: a path relative to the manifest
  int64_t label = 0;
  std::optional<int64_t> attribute;
  int64_t line = 0;  ///< in the file, from 1 (the header)
};

/// A CSV that names samples with their labels, splits and optionally attributes. Columns, the first
/// found counts. Sample: img_filename, filename, path, img_id. Label: y, label. Attribute,
/// optional: a, place, attribute, spurious, or group (the index y·A + a, checked against y). Split:
/// 0/1/2 or train/val/test.
struct Manifest {
  std::filesystem::path path;
  std::map<std::string, std::vector<ManifestRow>>
      splits;                   ///< "train", "val", "test": rows in order
  bool has_attributes = false;  ///< in every row

  /// @throws Error naming the file and row: a missing column (and the columns found), a value that
  ///         is not what its column holds, a group that contradicts its label, no row at all
  static Manifest read(const std::filesystem::path& csv);
};

}  // namespace neurontune
