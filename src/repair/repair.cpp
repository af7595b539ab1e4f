#include "neurontune/repair/repair.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/computing_type.h"
#include "base/describe.h"
#include "core/split_checks.h"
#include "core/splits.h"
#include "method/flagging.h"
#include "method/paper_method.h"
#include "metrics/accuracy_fall.h"
#include "neurontune/base/error.h"
#include "repair/contest.h"
#include "repair/reason.h"

namespace neurontune {
namespace {

/// The paper's method on all data; where it cannot be run, what the ERM head's mistakes say.
NeuronTuneResult of_paper(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning,
                          const Head& erm, NeuronTuneOptions options, const ProgressFn& progress) {
  options.select.criterion = Criterion::sfit;
  try {
    return paper_method(held_out, tuning, erm, options, progress);
  } catch (const OptionError&) {
    throw;
  } catch (const Error& error) {
    auto nothing = identify_nothing(held_out, erm, options.identify);
    NeuronTuneResult found;
    found.scores = std::move(nothing.scores);
    found.biased = std::move(nothing.biased);
    found.test = std::move(nothing.test);
    found.erm_accuracy = std::move(nothing.accuracy);
    found.warnings = std::move(nothing.warnings);
    found.warnings.push_back(std::string("NeuronTune is no candidate: ") + error.what());
    return found;
  }
}

/// Picks the first by rank whose head can be fitted to all of the data.
void select(Contest& contest, RepairResult& result) {
  std::vector<Judgement> accepted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < contest.judgements().size(); ++i) {
    const auto& judgement = contest.judgements()[i];
    if (judgement.candidate.acceptance == Acceptance::refused) {
      ++result.refused;
      continue;
    }
    accepted.push_back(judgement);
    places.push_back(i);
  }
  for (const auto i : ranked(accepted)) {
    const auto& candidate = accepted[i].candidate;
    if (result.candidates.empty()) {
      auto head = contest.fitted(places[i]);
      if (!head) continue;
      result.head = std::move(*head);
      result.settings = candidate.settings;
      result.acceptance = candidate.acceptance;
    }
    result.candidates.push_back(candidate);
  }
}

void warn_of_fall(RepairResult& result) {
  if (const auto warning = accuracy_fall("held-out data", result.erm.accuracy.balanced_accuracy,
                                         result.candidates.front().accuracy.balanced_accuracy))
    result.warnings.push_back(*warning);
}

void add_new(const std::vector<std::string>& warnings, RepairResult& result) {
  for (const auto& warning : warnings)
    if (std::find(result.warnings.begin(), result.warnings.end(), warning) == result.warnings.end())
      result.warnings.push_back(warning);
}

void check_attributes(const at::Tensor& attributes, const LabelledEmbeddings& held_out) {
  if (!attributes.defined() || !any_attribute_known(attributes))
    throw Error(
        "criterion worst_group needs attributes of held-out samples, and none is known; expected a "
        "few of each group, or another criterion");
  if (attributes.sizes() != held_out.labels.sizes() || attributes.scalar_type() != at::kLong)
    throw Error("the attributes are " + describe(attributes) + ", expected int64 [" +
                std::to_string(held_out.labels.size(0)) + "]");
}

}  // namespace

RepairOptions::RepairOptions() {
  neurontune.identify.significance = Significance::plain;
  neurontune.select.criterion = Criterion::inferred_groups;
}

void RepairOptions::validate() const {
  neurontune.validate();
  shortcut.validate();
  anchored.validate();
  if (!is_of_repair(neurontune.select.criterion))
    throw OptionError(std::string("criterion is ") + name(neurontune.select.criterion) +
                      "; repair() has inferred_groups and worst_group, neuron_tune() the others");
}

RepairResult repair(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning,
                    const Head& erm, const RepairOptions& options, const ProgressFn& progress,
                    const at::Tensor& attributes) {
  options.validate();
  check_aggregate(erm, options.neurontune);
  check_split(held_out, erm, "the held-out split");
  check_split(tuning, erm, "the tuning split");
  check_every_class(tuning.labels, erm.classes(), "the tuning split");
  if (held_out.embeddings.device() != tuning.embeddings.device())
    throw Error("the held-out split is on " + held_out.embeddings.device().str() +
                ", the tuning split on " + tuning.embeddings.device().str());
  const bool by_attributes = options.neurontune.select.criterion == Criterion::worst_group;
  if (by_attributes) check_attributes(attributes, held_out);
  const c10::NoGradGuard no_grad;
  const auto dtype = computing_type(tuning.embeddings);
  const auto judging = checked(held_out), retraining = checked(tuning);
  const auto head = to(erm, tuning.embeddings.device(), dtype);
  RepairResult result;
  result.neurontune = of_paper(judging, retraining, head, options.neurontune, progress);
  result.shortcut =
      search_shortcut(judging, retraining, head, options.shortcut, options.neurontune.seed);
  Contest contest(judging, retraining, head, options, result.shortcut, result.neurontune,
                  by_attributes ? attributes.detach() : at::Tensor());
  contest.run(progress);
  result.erm = contest.judgements().front().candidate;
  select(contest, result);
  result.reason = reason(result);
  for (const auto& warnings :
       {result.neurontune.warnings, result.shortcut.warnings, contest.warnings()})
    add_new(warnings, result);
  warn_of_fall(result);
  return result;
}

}  // namespace neurontune
