#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/export.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {

/// A flagged dimension, and where to look for what it encodes.
struct BiasedDimension {
  int64_t index = 0;                 ///< from 0
  double score = 0;                  ///< the largest over the classes it is flagged for
  int64_t label = 0;                 ///< the class of that score
  std::vector<std::string> samples;  ///< that activate it most: ids, or row numbers
};

/// What identification finds in a folder of embeddings.
struct ScoreOutcome {
  SpuriousnessScores scores;               ///< of each class and dimension
  BiasedDimensions biased;                 ///< those that are flagged
  std::optional<MistakeTest> test;         ///< where significance was asked for
  std::optional<double> sfit;              ///< none where no class is usable
  std::vector<std::string> warnings;       ///< what a user should know, one sentence each
  std::vector<BiasedDimension> strongest;  ///< flagged dimensions, the highest score first
};

/// Identifies on `config.splits.identify` of the folder `config.embeddings.path`.
/// @param samples how many samples to name for each dimension
NEURONTUNE_EXPORT ScoreOutcome score(const Config& config, int64_t samples = 3,
                                     const LogFn& log = {});

/// score.json: {classes, biased_dimensions, sfit, warnings, strongest, scores}
NEURONTUNE_EXPORT std::string json_text(const ScoreOutcome& outcome);

}  // namespace neurontune
