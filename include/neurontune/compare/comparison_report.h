#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/metrics/seed_summary.h"
#include "neurontune/report/check.h"

namespace neurontune {

/// A method's result, over all seeds.
struct MethodReport {
  std::string method;             ///< its name, as `compare` takes it
  bool oracle = false;            ///< whether it sees attributes
  std::vector<std::string> sees;  ///< train_labels, val_labels, val_attributes, …
  std::string selection;          ///< how its hyperparameters were chosen; the same for every seed
  std::vector<std::string> chosen;  ///< what was chosen, a seed each
  double seconds = 0;               ///< wall time of one seed, on average
  MetricSummaries test;             ///< accuracy on the test split
  std::string failure;              ///< why it could not be run, and then it has no figures
};

/// Methods side by side.
struct ComparisonReport {
  std::string embeddings;             ///< the folder they were all given
  std::string identify;               ///< the split that identifies
  std::string tune;                   ///< the split that retrains
  std::string recipe;                 ///< of neurontune_default
  std::string device;                 ///< that it was run on
  std::vector<uint64_t> seeds;        ///< that each method was run with
  std::vector<MethodReport> methods;  ///< in the order asked for
  std::vector<std::string> warnings;  ///< what a user should know, one sentence each
};

/// compare.json: `methods` and what they were run on.
NEURONTUNE_EXPORT std::string json_text(const ComparisonReport& report);

/// A row a method: mean and standard deviation of each figure, and what it saw.
NEURONTUNE_EXPORT std::string comparison_csv(const ComparisonReport& report);

/// The same as a table in Markdown, with how hyperparameters were chosen below it.
NEURONTUNE_EXPORT std::string comparison_markdown(const ComparisonReport& report);

/// A figure for a table, "0.742 ± 0.013", or a dash where there is none of the name.
NEURONTUNE_EXPORT std::string summary_text(const MetricSummaries& summaries,
                                           const std::string& name);

/// The figures of a stored comparison: method → figure → mean.
using StoredMeans = std::map<std::string, std::map<std::string, double>>;

/// @param stored the text of a compare.json
/// @throws Error if it is none, or has no figure of any method
NEURONTUNE_EXPORT StoredMeans stored_means(const std::string& stored);

/// Holds a comparison against a stored one: a check for each stored figure, which does not hold
/// where it is lower by more than `tolerance`, or no longer there.
NEURONTUNE_EXPORT std::vector<Check> baseline_checks(const ComparisonReport& report,
                                                     const StoredMeans& stored, double tolerance);

}  // namespace neurontune
