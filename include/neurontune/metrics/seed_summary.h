#pragma once

#include <string>
#include <utility>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/metrics/split_metrics.h"

namespace neurontune {

/// A figure over several seeds.
struct SeedSummary {
  double mean = 0;                ///< over the seeds
  double standard_deviation = 0;  ///< of a sample (n − 1); 0 for a single seed
  std::vector<double> values;     ///< one a seed
};

/// @param values one a seed, at least one
NEURONTUNE_EXPORT SeedSummary summarise(std::vector<double> values);

/// Figures by name: mean_accuracy, adjusted_mean_accuracy, worst_group_accuracy,
/// worst_class_accuracy; those of groups where every seed has them.
using MetricSummaries = std::vector<std::pair<std::string, SeedSummary>>;

/// @param metrics one a seed, of the same split
NEURONTUNE_EXPORT MetricSummaries summarise(const std::vector<SplitMetrics>& metrics);

/// The figure of a name, or null.
NEURONTUNE_EXPORT const SeedSummary* find(const MetricSummaries& summaries,
                                          const std::string& name);

}  // namespace neurontune
