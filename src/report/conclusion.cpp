#include "neurontune/report/conclusion.h"

#include <cctype>

#include "describe.h"

namespace neurontune {
namespace {

std::string of_source(const NeuronTuneResult& result) {
  switch (result.source) {
    case Source::erm:
      return "The ERM head is kept";
    case Source::neurontune:
      return "The head is epoch " + std::to_string(*result.selected_epoch) +
             " of class-balanced retraining behind a mask of " +
             std::to_string(result.biased.count()) + " dimensions";
    case Source::rebalanced:
      return "The head was retrained on rebalanced inferred groups";
  }
  return "";
}

std::string with_interval(const InferredAccuracy& accuracy) {
  return as_percent(accuracy.worst_accuracy()) + " (" + as_percent(accuracy.worst_lower()) +
         " to " + as_percent(accuracy.worst_upper()) + ")";
}

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string why(const NeuronTuneResult& result) {
  const auto verdict = result.shortcut->verdict;
  if (verdict != ShortcutVerdict::supported)
    return std::string(verdict == ShortcutVerdict::undecided ? ": nothing can be said"
                                                             : ": there is too little evidence") +
           " of a shortcut behind its mistakes. ";
  const auto candidates = result.candidates.size();
  return ", of " + std::to_string(candidates) + (candidates == 1 ? " candidate" : " candidates") +
         " the one whose worst inferred group is surest to be right. ";
}

std::string before_and_after(const NeuronTuneResult& result) {
  const auto& selected = result.candidates.front();
  if (!selected.inferred || !result.erm_inferred) return "";
  if (result.source == Source::erm)
    return " Its accuracy in the worst of them is " + with_interval(*result.erm_inferred) +
           " on held-out data.";
  return " Its accuracy in the worst of them went from " + with_interval(*result.erm_inferred) +
         " to " + with_interval(*selected.inferred) + " on held-out data.";
}

std::string refused(const NeuronTuneResult& result) {
  if (result.refused == 0) return "";
  const auto heads = result.refused == 1
                         ? std::string(" One head is refused, since its")
                         : " " + std::to_string(result.refused) + " heads are refused, since their";
  return heads +
         " class-balanced accuracy on held-out data is further below the ERM head's than max_drop "
         "allows.";
}

}  // namespace

std::string conclusion(const NeuronTuneResult& result) {
  if (!result.shortcut)
    return of_source(result) + (result.source == Source::erm
                                    ? ": no epoch has a spuriousness fitness score."
                                    : ", picked of " + std::to_string(result.candidates.size()) +
                                          " by its spuriousness fitness score.");
  return of_source(result) + why(result) + capitalised(result.shortcut->reason) + "." +
         before_and_after(result) + refused(result);
}

}  // namespace neurontune
