#pragma once

#include <filesystem>

#include "neurontune/compare/compare.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {

/// The default settings, with as little work as shows what a method does.
inline Config quick_config(const std::filesystem::path& embeddings) {
  return resolve_config("", {{"--device", "device", "cpu"},
                             {"--epochs", "tune.epochs", "2"},
                             {"--batches", "tune.batches_per_epoch", "20"},
                             {"--rate", "tune.learning_rate", "0.1"},
                             {"--embeddings", "embeddings.path", embeddings.string()}});
}

inline CompareOptions quick_comparison(const std::filesystem::path& embeddings) {
  CompareOptions options;
  options.config = quick_config(embeddings);
  options.seeds = 2;
  options.dfr.refits = 1;
  options.dfr.inverse_penalties = {0.1};
  options.afr.gammas = {4};
  options.afr.penalties = {0};
  options.afr.steps = 5;
  options.self.learning_rates = {1e-2};
  options.self.steps = 5;
  options.shortcut_probe.detection_epochs = 1;
  options.shortcut_probe.mitigation_epochs = 1;
  return options;
}

}  // namespace neurontune
