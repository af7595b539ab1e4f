#include "neurontune/report/conclusion.h"

#include "base/describe.h"
#include "base/number_text.h"

namespace neurontune {
namespace {

std::string with_interval(const InferredAccuracy& accuracy) {
  return as_percent(accuracy.worst_accuracy()) + " (" + as_percent(accuracy.worst_lower()) +
         " to " + as_percent(accuracy.worst_upper()) + ")";
}

/// Only where the groups are trusted.
std::string estimate(const RepairResult& result) {
  const auto& selected = result.candidates.front();
  if (result.shortcut.verdict != ShortcutVerdict::supported || !selected.inferred ||
      !result.erm.inferred || result.acceptance == Acceptance::known)
    return "";
  if (result.acceptance == Acceptance::kept)
    return " In the worst inferred group its accuracy is estimated at " +
           with_interval(*result.erm.inferred) + ".";
  return " In the worst inferred group accuracy is estimated to go from " +
         with_interval(*result.erm.inferred) + " to " + with_interval(*selected.inferred) + ".";
}

std::string refused(const RepairResult& result) {
  if (result.refused == 0) return "";
  return " " + counted(result.refused, "other head") + (result.refused == 1 ? " was" : " were") +
         " refused because of the held-out accuracy that would be lost.";
}

}  // namespace

std::string conclusion(const NeuronTuneResult& result) {
  if (result.selected_epoch == 0) return "The ERM head is kept. " + result.reason;
  return "The head is epoch " + std::to_string(result.selected_epoch) +
         " of class-balanced retraining with " + counted(result.biased.count(), "dimension") +
         " masked. " + result.reason;
}

std::string conclusion(const RepairResult& result) {
  const auto head = result.settings.source == Source::erm
                        ? std::string("The ERM head is kept. ")
                        : "The head is " + describe(result.settings) + ". ";
  return head + result.reason + estimate(result) + refused(result);
}

std::string conclusion(const TunedHead& tuned) {
  return tuned.repair() ? conclusion(*tuned.repair()) : conclusion(tuned.neurontune());
}

}  // namespace neurontune
