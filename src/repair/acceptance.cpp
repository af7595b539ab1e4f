#include "repair/acceptance.h"

namespace neurontune {
namespace {

/// Of a difference of two accuracies.
constexpr double kRounding = 1e-12;
/// The least repairability of a trade: 1/2 is chance, 1 a perfect repair. Of the sets that chose
/// it, the best head reaches .661 without a shortcut, and those that repair one .708 and more.
constexpr double kLeastRepairability = 2.0 / 3;

bool costs_nothing(const Candidate& candidate, const Candidate& erm) {
  return candidate.accuracy.balanced_accuracy >= erm.accuracy.balanced_accuracy - kRounding &&
         candidate.accuracy.worst_class_accuracy >= erm.accuracy.worst_class_accuracy - kRounding;
}

}  // namespace

Acceptance acceptance(const Candidate& candidate, const Candidate& erm, ShortcutVerdict verdict,
                      const SelectionOptions& options) {
  if (candidate.settings.source == Source::erm) return Acceptance::kept;
  if (options.criterion == Criterion::worst_group) return Acceptance::known;
  if (costs_nothing(candidate, erm)) return Acceptance::free;
  const double cost = erm.accuracy.balanced_accuracy - candidate.accuracy.balanced_accuracy;
  const bool pays = verdict == ShortcutVerdict::supported &&
                    candidate.repairability >= kLeastRepairability &&
                    cost <= options.max_drop + kRounding;
  return pays ? Acceptance::trade : Acceptance::refused;
}

}  // namespace neurontune
