#include "neurontune/report/conclusion.h"

#include <cctype>

#include "base/describe.h"
#include "base/number_text.h"

namespace neurontune {
namespace {

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// "from 83.0 % to 89.4 %"
std::string change(double before, double after) {
  return "from " + as_percent(before) + " to " + as_percent(after);
}

std::string with_interval(const InferredAccuracy& accuracy) {
  return as_percent(accuracy.worst_accuracy()) + " (" + as_percent(accuracy.worst_lower()) +
         " to " + as_percent(accuracy.worst_upper()) + ")";
}

std::string evidence(const ShortcutSearch& shortcut) {
  switch (shortcut.verdict) {
    case ShortcutVerdict::supported:
      return "there is evidence of a shortcut";
    case ShortcutVerdict::unsupported:
      return "there is too little evidence of a shortcut";
    case ShortcutVerdict::undecided:
      return "the data are too few to test for a shortcut";
  }
  return "";
}

/// What the head does on held-out data, against the ERM head.
std::string on_held_out(const RepairResult& result) {
  const auto& before = result.erm.accuracy;
  const auto& after = result.candidates.front().accuracy;
  return "class-balanced accuracy goes " +
         change(before.balanced_accuracy, after.balanced_accuracy) +
         " on held-out data that the head was not fitted to, the worst class's " +
         change(before.worst_class_accuracy, after.worst_class_accuracy);
}

std::string grounds(const RepairResult& result) {
  const auto choice =
      " It was selected among " +
      counted(static_cast<int64_t>(result.candidates.size()), "accepted candidate") + ".";
  switch (result.acceptance) {
    case Acceptance::free:
      return " It costs no held-out accuracy: " + on_held_out(result) +
             ". That needs no evidence of a shortcut." + choice;
    case Acceptance::trade:
      return " It costs accuracy: " + on_held_out(result) +
             ". That is within the allowed drop (max_drop), and there is evidence of a shortcut: " +
             result.shortcut.reason + "." + choice;
    case Acceptance::known:
      return " It was selected by its accuracy in the worst group of the held-out samples whose "
             "group "
             "is known, at least " +
             as_percent(result.candidates.front().worst_lower) +
             " (the ERM head: " + as_percent(result.erm.worst_lower) + "); " + on_held_out(result) +
             "." + choice;
    case Acceptance::kept:
    case Acceptance::refused:
      break;
  }
  return "";
}

std::string why_kept(const RepairResult& result) {
  const auto others = static_cast<int64_t>(result.candidates.size()) - 1;
  return (others == 0
              ? ": every other one costs held-out accuracy"
              : ": none of " + counted(others, "other candidate") + " is better on held-out data") +
         std::string(result.shortcut.verdict == ShortcutVerdict::supported
                         ? ", or repairs enough for what it costs"
                         : ", and for a repair that costs accuracy " + evidence(result.shortcut)) +
         ". " + capitalised(result.shortcut.reason) + ".";
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
  if (result.selected_epoch == 0)
    return "The ERM head is kept: no epoch has a spuriousness fitness score.";
  return "The head is epoch " + std::to_string(result.selected_epoch) +
         " of class-balanced retraining with " + counted(result.biased.count(), "dimension") +
         " masked, selected among " + std::to_string(result.candidates.size()) +
         " by its spuriousness fitness score.";
}

std::string conclusion(const RepairResult& result) {
  if (result.settings.source == Source::erm)
    return "The ERM head is kept" + why_kept(result) + estimate(result) + refused(result);
  return "The head is " + describe(result.settings) + "." + grounds(result) + estimate(result) +
         refused(result);
}

std::string conclusion(const TunedHead& tuned) {
  return tuned.repair() ? conclusion(*tuned.repair()) : conclusion(tuned.neurontune());
}

}  // namespace neurontune
