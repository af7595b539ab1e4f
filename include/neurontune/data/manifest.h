#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/data/manifest_format.h"
#include "neurontune/data/names.h"
#include "neurontune/export.h"

namespace neurontune {

/// A row of a manifest.
struct ManifestRow {
  std::string sample;  ///< a path relative to Manifest::folder; of tensors the row's number, from 0
  int64_t label = 0;   ///< from 0
  std::optional<int64_t> attribute;  ///< none where it is not known
  int64_t line = 0;    ///< in the file, from 1 (the header); 0 where no file lists the samples
  int64_t number = 0;  ///< of the row among all of the file, from 0
};

/// What names samples with their labels, splits and optionally attributes: a CSV, or class folders.
struct NEURONTUNE_EXPORT Manifest {
  std::filesystem::path path;    ///< the CSV, or the folder of class folders
  std::filesystem::path folder;  ///< that the samples' paths are relative to
  std::map<std::string, std::vector<ManifestRow>> splits;  ///< rows in order; none is empty
  bool has_attributes = false;                             ///< in any row
  Names names;                                             ///< as the format or the folders say
  int64_t rows = 0;                                        ///< N, of all splits
  std::filesystem::path tensors;                           ///< the samples' file; empty: images
  std::vector<std::string> warnings;                       ///< what a user should know of it

  /// Reads the manifest and looks at no sample.
  ///
  /// @throws DataError with every finding, by line: a value that is not what its column holds, a
  ///         row of too few or many cells, a group that contradicts its label, a row that a joined
  ///         file lacks, an image outside the folders of classes
  /// @throws Error if a file cannot be read, lacks a column (and the columns found) or holds no row
  static Manifest read(const ManifestSource& source);

  /// Reads a CSV in the format "metadata": the first column found counts. Sample: img_filename,
  /// filename, path, img_id. Label: y, label. Attribute, optional: a, place, attribute, spurious,
  /// or group (the index y·A + a, checked against y). Split: 0/1/2 or train/val/test.
  static Manifest read(const std::filesystem::path& csv);

  /// The names of the splits: train, val and test first, as far as they are there.
  std::vector<std::string> split_names() const;
};

}  // namespace neurontune
