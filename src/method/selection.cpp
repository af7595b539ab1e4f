#include "neurontune/method/selection.h"

#include <algorithm>
#include <string>

#include "base/describe.h"
#include "base/option_checks.h"
#include "neurontune/base/error.h"

namespace neurontune {
const char* name(Criterion criterion) {
  switch (criterion) {
    case Criterion::sfit:
      return "sfit";
    case Criterion::guarded_sfit:
      return "guarded_sfit";
    case Criterion::inferred_groups:
      return "inferred_groups";
    case Criterion::worst_group:
      return "worst_group";
  }
  return "";
}

void SelectionOptions::validate() const {
  if (!(guard >= 0 && guard <= 1))
    throw OptionError("guard is " + describe(guard) + ", expected 0 to 1");
  check_number("max_drop", max_drop, max_drop >= 0 && max_drop <= 1, "0 to 1");
}

bool is_of_repair(Criterion criterion) {
  return criterion == Criterion::inferred_groups || criterion == Criterion::worst_group;
}

std::vector<std::size_t> ranked_candidates(const std::vector<CheckpointFigures>& checkpoints,
                                           const SelectionOptions& options) {
  double floor = 0;
  if (options.criterion == Criterion::guarded_sfit)
    for (const auto& checkpoint : checkpoints)
      floor = std::max(floor, checkpoint.balanced_accuracy - options.guard);

  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < checkpoints.size(); ++i)
    if (checkpoints[i].sfit && checkpoints[i].balanced_accuracy >= floor) candidates.push_back(i);
  std::stable_sort(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
    return *checkpoints[a].sfit > *checkpoints[b].sfit;
  });
  return candidates;
}

}  // namespace neurontune
