#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compare/comparison_data.h"
#include "neurontune/base/progress.h"
#include "neurontune/compare/compare.h"

namespace neurontune {

/// What a method gives for a seed.
struct MethodOutcome {
  Head head;
  std::string chosen;                      ///< of what is chosen by data; empty where nothing is
  std::vector<std::string> warnings = {};  ///< what a user should know
};

/// A method that can be compared.
struct ComparedMethod {
  std::string name;
  bool oracle = false;  ///< whether it sees attributes
  bool seeded = true;   ///< whether the seed changes anything
  std::vector<std::string> sees;
  std::string selection;  ///< how its hyperparameters are chosen
  std::function<MethodOutcome(ComparisonData&, uint64_t seed, const ProgressFn&)> run;
};

/// All methods, in the order in which they are shown.
std::vector<ComparedMethod> compared_methods(const CompareOptions& options);

}  // namespace neurontune
