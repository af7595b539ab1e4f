#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "neurontune/data/image.h"
#include "neurontune/data/names.h"

namespace neurontune {

/// The samples of one split, in a fixed order, as a model takes them.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;                  ///< N, at least 1
  virtual at::Tensor labels() const = 0;             ///< int64 [N], at least 0
  virtual at::Tensor attributes() const = 0;         ///< int64 [N], or undefined
  virtual std::vector<std::string> ids() const = 0;  ///< N: how a person finds the sample

  /// A sample in an error message: its file and its row of the manifest, where it has those.
  virtual std::string described(int64_t sample) const {
    return ids().at(static_cast<size_t>(sample));
  }

  /// The samples first…last−1: a tensor for each argument of the model, [last − first, …], on the
  /// CPU. Decoding runs on the intra-op threads.
  virtual std::vector<at::Tensor> batch(int64_t first, int64_t last) const = 0;

  /// Text that changes whenever what `batch` gives may change: files with sizes and times,
  /// transforms, labels.
  virtual std::string fingerprint() const = 0;
};

/// A named split of a data set.
struct DatasetSplit {
  std::string name;  ///< "train", "val", "test", or what else the data set has
  std::unique_ptr<Dataset> dataset;
};

/// A data set as it lies on disk.
struct DataFolder {
  std::vector<DatasetSplit> splits;  ///< those present, in the order train, val, test, others
  Names names;                       ///< to show; may be empty

  /// A split by name.
  /// @throws Error if there is none of that name; the text lists those there are
  const Dataset& split(const std::string& name) const;
};

/// Opens a data set: its manifest, which `path` is or holds, with the samples beside it, and
/// names.json where there is one. See find_manifest on which manifest that is.
///
/// @param format a name of manifest_format_names(), a JSON file that describes a format, or "auto"
/// @throws DataError with all findings: those of the manifest, and images that are missing, empty
///         or folders
/// @throws Error if there is no manifest, or a file cannot be read at all
/// @throws OptionError if `transform` or `format` is not valid
DataFolder open_data(const std::filesystem::path& path, const ImageTransform& transform,
                     const std::string& format = "auto");

}  // namespace neurontune
