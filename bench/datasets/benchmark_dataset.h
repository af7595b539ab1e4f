#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "demo/biased_images.h"

namespace neurontune::benchmark {

/// A data set of the suite and the model trained on it.
struct DatasetOptions {
  demo::BiasedImagesOptions images;
  int64_t epochs = 12;     ///< of ERM, at least 1; its seed is that of the images
  int64_t features = 256;  ///< of its embedding, at least 1

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// Makes a folder ready for `neurontune compare --embeddings FOLDER/embeddings`: data/, erm.pt, a
/// small CNN trained on data's train the ordinary way, embeddings/, and last dataset.json.
///
/// dataset.json: `family`, `classes`, `correlation` (a fraction or "none"), `seed`, the samples of
/// each split, `epochs`, `features`, `erm` {`mean_accuracy`, `worst_group_accuracy`} on test, and
/// `seconds`.
///
/// @param fashion_mnist folder of the original photographs
/// @return what dataset.json holds; where it is there already from the same options, nothing is
/// done
/// @throws OptionError if an option is out of its range
/// @throws Error if the folder holds a data set of other options, or a file cannot be read or
///         written
nlohmann::ordered_json make_dataset(const std::filesystem::path& folder,
                                    const DatasetOptions& options,
                                    const std::filesystem::path& fashion_mnist);

}  // namespace neurontune::benchmark
