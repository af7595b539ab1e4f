#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// Where a row's label or attribute stands, and which index its cell means.
struct IndexColumn {
  std::vector<std::string> columns;        ///< the first that the header has counts
  bool any = false;                        ///< all columns count: the largest of their indices
  std::optional<double> at_least;          ///< cells are numbers: 1 from this on, else 0
  std::map<std::string, int64_t> values;   ///< cell → index; empty: cells are indices from 0
  bool skip_others = false;                ///< of class folders: those not in `values` are no class
  std::vector<std::string> group_columns;  ///< of attributes: cells are groups, y · A + a
  std::vector<std::string> names;          ///< of the indices, to show; may be empty
};

/// How a data set lies on disk: which file names its samples, what its columns are called and what
/// its cells mean. configs/data holds those that come with the program, in JSON of the same names
/// and nesting; every key may be left out.
struct NEURONTUNE_EXPORT ManifestFormat {
  std::string name;  ///< "celeba", or the JSON file's path

  std::vector<std::string> files;  ///< the CSV in the folder: the first of these that is there
  std::vector<std::string> marks;  ///< by these "auto" tells a folder of this format
  /// Instead of a CSV: the folders above the images, "{split}/{label}",
  /// "{split}/{label}/{attribute}" or "{split}/{attribute}/{label}".
  std::string folders;

  struct {
    std::vector<std::string> columns;          ///< of a path
    std::vector<std::string> prefixes = {""};  ///< before it: the first that finds the first sample
    std::string suffix;                        ///< after it
  } sample;                                    ///< where a sample lies
  IndexColumn label;                           ///< its class
  IndexColumn attribute;                       ///< its spurious attribute, where there is one
  struct {
    std::vector<std::string> columns;
    std::map<std::string, std::string> values;  ///< cell, or folder, → split; empty: 0/1/2 or names
  } split;                                      ///< which split it is of
  struct {
    /// JSON `file`, one or several: a CSV whose columns are added to the first, relative to that;
    /// of several the first that is there. Empty: none.
    std::vector<std::string> files;
    std::string key;                   ///< the column that both have
    std::vector<std::string> columns;  ///< of a text table (below) without a header
  } join;                              ///< a second file with more columns
  /// Files called .txt are tables as CelebA's authors write them: blanks part the cells; the first
  /// line is the number of rows and the second names all columns but the first, which is the key;
  /// or there is neither.
  bool text_tables = false;

  /// Samples are rows of the tensor `inputs` of TENSORS.safetensors beside the CSV; empty: images.
  std::string tensors;
  std::string transform;  ///< JSON as in transform.json: the images' usual transform; may be empty

  /// @param name one of manifest_format_names(), or a path to a JSON file
  /// @throws OptionError for an unknown name or key (with the nearest known one) or a value that is
  ///         not what its key holds
  static ManifestFormat named(const std::string& name);
};

/// The formats compiled in, those of configs/data.
NEURONTUNE_EXPORT std::vector<std::string> manifest_format_names();

/// A manifest that was found, and how to read it.
struct NEURONTUNE_EXPORT ManifestSource {
  std::filesystem::path path;  ///< a CSV, or of class folders the folder that holds them
  ManifestFormat format;       ///< how it is read

  /// What the samples' paths are relative to; names.json and transform.json lie there.
  std::filesystem::path folder() const;
};

/// Finds the manifest in a folder; `data` may also be the CSV itself.
///
/// @param format a name that ManifestFormat::named takes, or "auto": the only format of which a
///        mark is there, or class folders where there is a folder train
/// @return nothing where "auto" finds no manifest in the folder
/// @throws Error if `data` does not exist, has no manifest of the format named, or "auto" could be
///         several
/// @throws OptionError as ManifestFormat::named
NEURONTUNE_EXPORT std::optional<ManifestSource> find_manifest(const std::filesystem::path& data,
                                                              const std::string& format);

}  // namespace neurontune
