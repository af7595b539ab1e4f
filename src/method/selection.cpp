#include "neurontune/method/selection.h"

#include <algorithm>
#include <string>

#include "describe.h"
#include "neurontune/error.h"
#include "option_checks.h"

namespace neurontune {
namespace {

/// Of a difference of two accuracies.
constexpr double kRounding = 1e-12;

}  // namespace

const char* name(Criterion criterion) {
  switch (criterion) {
    case Criterion::sfit:
      return "sfit";
    case Criterion::guarded_sfit:
      return "guarded_sfit";
    case Criterion::inferred_groups:
      return "inferred_groups";
  }
  return "";
}

void SelectionOptions::validate() const {
  if (!(guard >= 0 && guard <= 1))
    throw OptionError("guard is " + describe(guard) + ", expected 0 to 1");
  check_number("max_drop", max_drop, max_drop >= 0 && max_drop <= 1, "0 to 1");
}

bool drops_too_far(double balanced_accuracy, double of_erm, const SelectionOptions& options) {
  return of_erm - balanced_accuracy > options.max_drop + kRounding;
}

std::vector<std::size_t> ranked_candidates(const std::vector<CheckpointFigures>& checkpoints,
                                           const SelectionOptions& options) {
  const bool by_groups = options.criterion == Criterion::inferred_groups;
  const auto figure = [&](std::size_t i) {
    return by_groups ? checkpoints[i].inferred_worst_group : checkpoints[i].sfit;
  };
  double floor = 0;
  if (options.criterion == Criterion::guarded_sfit)
    for (const auto& checkpoint : checkpoints)
      floor = std::max(floor, checkpoint.balanced_accuracy - options.guard);

  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < checkpoints.size(); ++i)
    if (figure(i) && checkpoints[i].balanced_accuracy >= floor) candidates.push_back(i);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](std::size_t a, std::size_t b) { return *figure(a) > *figure(b); });
  return candidates;
}

}  // namespace neurontune
