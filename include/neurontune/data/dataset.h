#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "neurontune/data/image.h"
#include "neurontune/data/names.h"
#include "neurontune/export.h"

namespace neurontune {

/// The samples of one split, in a fixed order, as a model takes them.
class NEURONTUNE_EXPORT Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;                  ///< N, at least 1
  virtual at::Tensor labels() const = 0;             ///< int64 [N], at least 0
  virtual at::Tensor attributes() const = 0;         ///< int64 [N], −1 unknown; undefined: none
  virtual std::vector<std::string> ids() const = 0;  ///< N: how a person finds the sample

  /// A sample in an error message: its file and its row of the manifest, where it has those.
  virtual std::string described(int64_t sample) const {
    return ids().at(static_cast<size_t>(sample));
  }

  /// What the tensors of a batch are called, each once: {"inputs"}, {"input_ids",
  /// "attention_mask"}. `in_argument_order` finds the arguments of a model that they are.
  virtual std::vector<std::string> input_names() const = 0;

  /// The samples first…last−1: a tensor for each of `input_names`, [last − first, …], on the CPU;
  /// not to be written to. Decoding runs on the intra-op threads.
  virtual std::vector<at::Tensor> batch(int64_t first, int64_t last) const = 0;

  /// Text that changes whenever what `batch` gives may change: files with sizes and times,
  /// transforms, labels.
  virtual std::string fingerprint() const = 0;
};

/// A named split of a data set.
struct DatasetSplit {
  std::string name;                  ///< "train", "val", "test", or what else the data set has
  std::unique_ptr<Dataset> dataset;  ///< its samples
};

/// A data set as it lies on disk.
struct NEURONTUNE_EXPORT DataFolder {
  std::vector<DatasetSplit> splits;  ///< those present, in the order train, val, test, then by name
  Names names;                       ///< to show; may be empty
  std::vector<std::string> warnings;  ///< what a user should know of the data, one sentence each

  /// A split by name.
  /// @throws Error if there is none of that name; the text lists those there are
  const Dataset& split(const std::string& name) const;
};

/// What to do with images that are missing, empty or folders.
enum class BadImages {
  refused,  ///< when the data is opened
  kept,     ///< found again, with those that are damaged, when they are read
};

/// Opens a data set: its manifest, which `path` is or holds, with the samples beside it, and
/// names.json where there is one; see find_manifest on which manifest that is. Or, where a folder
/// has no manifest, tensors: DIR/SPLIT.safetensors (memory-mapped) or DIR/SPLIT.npz (read whole)
/// with `labels`, optionally `attributes` or `groups`, and every other tensor an input.
///
/// @param transform of images; tensors are taken as they are
/// @param format a name of manifest_format_names(), a JSON file that describes a format, or "auto"
/// @throws DataError with all findings: those of the manifest, and images that are refused
/// @throws Error if there are neither, or a file cannot be read at all
/// @throws OptionError if `transform` or `format` is not valid
NEURONTUNE_EXPORT DataFolder open_data(const std::filesystem::path& path,
                                       const ImageTransform& transform,
                                       const std::string& format = "auto",
                                       BadImages bad = BadImages::refused);

}  // namespace neurontune
