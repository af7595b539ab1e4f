#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "neurontune/data/dataset.h"
#include "neurontune/model/split_model.h"
#include "neurontune/progress.h"

namespace neurontune {

/// What extraction did.
struct Extraction {
  struct Split {
    int64_t samples = 0;
    double seconds = 0;
    bool reused = false;  ///< whether the folder held it already, from the same model and data
  };
  std::map<std::string, Split> splits;
  SplitVerification verified;  ///< on the first batch
};

/// Writes the embeddings of every split, and the head, into a folder that EmbeddingFolder opens.
///
/// The folder is a cache: a split is reused when the model's fingerprint, the samples' list, the
/// files' sizes and times, the transform, the batch size and the device's kind are what they were.
/// Splits that the folder holds from another data set are removed.
///
/// @param batch_size samples that go through the model at once, at least 1
/// @throws Error if the model cannot take the data, a label is outside its classes, or a file
/// cannot
///         be read or written
Extraction extract_embeddings(const SplitModel& model, const DataFolder& data, int64_t batch_size,
                              const std::filesystem::path& folder, const ProgressFn& progress = {});

/// The class that a head on a model's features predicts: int64 [N] on the CPU. Nothing is written.
at::Tensor predict(const SplitModel& model, const Head& head, const Dataset& dataset,
                   int64_t batch_size, const ProgressFn& progress = {});

}  // namespace neurontune
