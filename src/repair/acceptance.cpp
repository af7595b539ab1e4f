#include "repair/acceptance.h"

namespace neurontune {
namespace {

/// Of a difference of two accuracies.
constexpr double kRounding = 1e-12;
/// Of the mistakes at least this share more is corrected than is broken of what was correct, plus
/// one, halved: 1/2 is chance, 1 a perfect repair.
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
