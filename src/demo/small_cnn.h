#pragma once

#include <cstdint>
#include <filesystem>

#include "neurontune/data/dataset.h"
#include "neurontune/progress.h"

namespace neurontune::demo {

/// Settings of the demo's ordinary training (ERM): Adam on the mean cross-entropy, no balancing.
struct ErmTrainingOptions {
  int64_t epochs = 8;
  int64_t batch_size = 64;
  double learning_rate = 1e-3;
  uint64_t seed = 0;
};

/// Builds a small convolutional classifier of grey images as TorchScript (256 rectified features,
/// then the linear layer `fc`), trains it on `train` from C++ and saves it.
///
/// @param train   grey images, all of one size
/// @param classes C
void train_small_cnn(const Dataset& train, int64_t classes, const ErmTrainingOptions& options,
                     const std::filesystem::path& path, const ProgressFn& progress = {});

}  // namespace neurontune::demo
