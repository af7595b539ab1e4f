#pragma once

#include <cstdint>
#include <filesystem>

#include "neurontune/base/progress.h"
#include "neurontune/data/dataset.h"

namespace neurontune::demo {

/// Settings of the demo's ordinary training (ERM): Adam on the mean cross-entropy, no balancing.
struct ErmTrainingOptions {
  int64_t epochs = 12;          ///< at least 1
  int64_t batch_size = 64;      ///< at least 1
  double learning_rate = 1e-3;  ///< over 0
  int64_t features = 256;       ///< M, channels of the last convolution, at least 1
  uint64_t seed = 0;            ///< of the initial weights and the batches
};

/// Builds a small convolutional classifier as TorchScript (three convolutions, whose rectified
/// channels averaged over the image are the embedding, then the linear layer `fc`), trains it on
/// `train` from C++ and saves it in evaluation mode. The file appears by rename. The same data,
/// options, number of threads and LibTorch build give the same bytes.
///
/// @param train    images float32 [channels, H, W], all of one size, at least 16 × 16; all of them
///                 are held in memory
/// @param classes  C, at least 2
/// @param progress stage "train", a unit a batch
/// @throws OptionError if an option is out of its range
/// @throws Error if the images or labels are not as above, or the file cannot be written
void train_small_cnn(const Dataset& train, int64_t classes, const ErmTrainingOptions& options,
                     const std::filesystem::path& path, const ProgressFn& progress = {});

}  // namespace neurontune::demo
