#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/skipped_report.h"
#include "neurontune/export.h"
#include "neurontune/metrics/class_predictions.h"
#include "neurontune/model/split_model.h"

namespace neurontune {

/// The numbers that embeddings are stored as.
enum class StoredAs {
  model,  ///< as the model gives them
  float32,
  float16,
  bfloat16,
};

NEURONTUNE_EXPORT const char* name(StoredAs stored_as);

/// How embeddings are made and stored.
struct ExtractionOptions {
  int64_t batch_size = 64;  ///< samples that go through the model at once, 1 to 1000000
  StoredAs stored_as = StoredAs::model;  ///< the dtype of the files
  /// Whether the model runs under LibTorch's autocast: float16 on CUDA, bfloat16 on the CPU, where
  /// an operation can. The embeddings' dtype stays what it would be.
  bool mixed_precision = false;
  bool skip_bad = false;  ///< whether to go on without samples that cannot be read
};

/// What extraction did.
struct Extraction {
  /// Of one split.
  struct Split {
    int64_t samples = 0;  ///< less those skipped
    double seconds = 0;   ///< wall time
    bool reused = false;  ///< whether the folder held it already, from the same model and data
    std::vector<SkippedReport> skipped;  ///< samples that were left out
  };
  std::map<std::string, Split> splits;  ///< by name
  SplitVerification verified;           ///< on the first batch
};

/// Writes the embeddings of every split, and the head, into a folder that EmbeddingFolder opens.
///
/// The folder is a cache: a split is reused when the model's fingerprint, the samples' list, the
/// files' sizes and times, the transform, the options and the device's kind are what they were.
/// Splits that the folder holds from another data set are removed. A run that was ended at any
/// moment, by kill -9 too, resumes a few batches earlier, and gives the same bytes. Memory is
/// bounded by the batch: one is read while the model works on another.
///
/// @param model is sped up, where that gives the same embeddings
/// @throws Error if the model cannot take the data, a label is outside its classes, mixed precision
///         changes the features by over 2e-2 of the largest, or a file cannot be read or written
/// @param log gets which splits are reused, and why others are not
NEURONTUNE_EXPORT Extraction extract_embeddings(SplitModel& model, const DataFolder& data,
                                                const ExtractionOptions& options,
                                                const std::filesystem::path& folder,
                                                const ProgressFn& progress = {},
                                                const LogFn& log = {});

/// What a head on a model's features says of each sample. Nothing is written.
/// @param options its batch size and precision
/// @throws OptionError if bad samples are to be skipped
/// @throws Error as extract_embeddings
NEURONTUNE_EXPORT ClassPredictions predict(const SplitModel& model, const Head& head,
                                           const Dataset& dataset,
                                           const ExtractionOptions& options = {},
                                           const ProgressFn& progress = {}, const LogFn& log = {});

}  // namespace neurontune
