#include "repair/reason.h"

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

std::string among(const RepairResult& result) {
  return " It was selected among " +
         counted(static_cast<int64_t>(result.candidates.size()), "accepted candidate") + ".";
}

std::string why_free(const RepairResult& result) {
  return "It costs no held-out accuracy: " + on_held_out(result) +
         ". That needs no evidence of a shortcut." + among(result);
}

std::string why_traded(const RepairResult& result) {
  return "It costs accuracy: " + on_held_out(result) +
         ". That is within the allowed drop (max_drop), it corrects enough of the mistakes for "
         "what it breaks (repairability " +
         fixed(result.candidates.front().repairability, 2) +
         "), and there is evidence of a shortcut: " + result.shortcut.reason + "." + among(result);
}

std::string why_of_known_groups(const RepairResult& result) {
  return "It was selected by its accuracy in the worst group of the held-out samples whose group "
         "is known, at least " +
         as_percent(result.candidates.front().worst_lower) +
         " (the ERM head: " + as_percent(result.erm.worst_lower) + "); " + on_held_out(result) +
         "." + among(result);
}

std::string why_kept(const RepairResult& result) {
  const auto others = static_cast<int64_t>(result.candidates.size()) - 1;
  if (others == 0 && result.refused == 0)
    return "A class has too few held-out samples to judge any other head by.";
  const auto compared = others == 0   ? "Every other one costs held-out accuracy"
                        : others == 1 ? "The one other candidate is not better on held-out data"
                                      : "None of " + std::to_string(others) +
                                            " other candidates is better on held-out data";
  return compared +
         std::string(result.shortcut.verdict == ShortcutVerdict::supported
                         ? ", or repairs enough for what it costs"
                         : ", and for a repair that costs accuracy " + evidence(result.shortcut)) +
         ". " + capitalised(result.shortcut.reason) + ".";
}

}  // namespace

std::string reason(const RepairResult& result) {
  switch (result.acceptance) {
    case Acceptance::free:
      return why_free(result);
    case Acceptance::trade:
      return why_traded(result);
    case Acceptance::known:
      return why_of_known_groups(result);
    case Acceptance::kept:
      return why_kept(result);
    case Acceptance::refused:
      break;  // no such head is selected
  }
  return "";
}

}  // namespace neurontune
