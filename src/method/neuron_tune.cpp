#include "neurontune/method/neuron_tune.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "checks.h"
#include "describe.h"
#include "method/flagging.h"
#include "method/ranked_split.h"
#include "method/split_checks.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

/// A fall of balanced accuracy, against the ERM head's, that is worth a warning.
constexpr double kAccuracyFall = 0.05;

void warn_of_fall(const AccuracyMetrics& erm, const Checkpoint& selected,
                  std::vector<std::string>& warnings) {
  if (erm.balanced_accuracy - selected.accuracy.balanced_accuracy > kAccuracyFall)
    warnings.push_back("class-balanced accuracy on the identification split fell from " +
                       as_percent(erm.balanced_accuracy) + " to " +
                       as_percent(selected.accuracy.balanced_accuracy));
}

std::vector<Checkpoint> ranked(const std::vector<Checkpoint>& pool,
                               const SelectionOptions& options) {
  std::vector<CheckpointFigures> figures;
  for (const auto& checkpoint : pool) {
    figures.push_back({checkpoint.sfit, checkpoint.accuracy.balanced_accuracy});
    if (checkpoint.inferred)
      figures.back().inferred_worst_group = checkpoint.inferred->worst_lower();
  }
  std::vector<Checkpoint> best_first;
  for (const auto index : ranked_candidates(figures, options)) best_first.push_back(pool[index]);
  return best_first;
}

/// One run of the method: identify, retrain epoch by epoch, select.
class Run {
 public:
  Run(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning, const Head& erm,
      const NeuronTuneOptions& options)
      : held_out_{held_out.embeddings.detach(), held_out.labels.detach()},
        tuning_{tuning.embeddings.detach(), tuning.labels.detach()},
        erm_(erm),
        options_(options),
        ranked_(held_out_, erm.classes(), options.identify.activation) {}

  /// Whether there is anything to go on with.
  bool identify_first() {
    auto found = judge(held_out_, ranked_, erm_);
    const bool goes_on = found.scores.any_usable() || !by_groups();
    if (goes_on)
      add_flags(held_out_, ranked_, erm_, options_.identify, found);
    else
      say_nothing_of_a_shortcut(found);
    result_.erm_accuracy = std::move(found.accuracy);
    result_.warnings = std::move(found.warnings);
    result_.test = std::move(found.test);
    scores_ = std::move(found.scores);
    biased_ = std::move(found.biased);
    identifications_.push_back(scores_);
    return goes_on;
  }

  void search() {
    if (!by_groups()) return;
    result_.shortcut = search_shortcut(held_out_, tuning_, erm_, options_.shortcut, options_.seed);
    const auto& warnings = result_.shortcut->warnings;
    result_.warnings.insert(result_.warnings.end(), warnings.begin(), warnings.end());
  }

  void retrain(const ProgressFn& progress) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(options_.seed);
    const auto start = options_.tune.start == Start::erm ? erm_ : fresh_head(erm_, generator);
    HeadRetrainer retrainer(tuning_.embeddings, tuning_.labels, start, options_.tune, generator);
    retrainer.set_mask(biased_.mask);
    for (int64_t epoch = 1; epoch <= options_.tune.epochs; ++epoch) {
      if (refresh_is_due(epoch)) {
        biased_ = flag(held_out_, ranked_, retrainer.head(), scores_, options_.identify).biased;
        identifications_.push_back(scores_);
        retrainer.set_mask(biased_.mask);
      }
      const double loss = retrainer.run_epoch();
      auto head = retrainer.head();
      if (!is_finite(head)) return end_infinite(epoch);
      auto checkpoint = judged(Source::neurontune, std::move(head), biased_);
      checkpoint.epoch = epoch;
      checkpoint.loss = loss;
      result_.trajectory.push_back(std::move(checkpoint));
      identification_of_epoch_.push_back(identifications_.size() - 1);
      if (progress) progress("tune", epoch, options_.tune.epochs);
    }
  }

  NeuronTuneResult select() {
    if (result_.shortcut)
      select_by_groups();
    else
      select_by_sfit();
    const auto& selected = result_.candidates.front();
    warn_of_fall(result_.erm_accuracy, selected, result_.warnings);
    result_.head = selected.head;
    result_.source = selected.source;
    result_.biased = selected.biased;
    result_.sfit = selected.sfit;
    result_.selected_epoch = selected.epoch;
    result_.scores = selected.source == Source::neurontune
                         ? identifications_[identification_of_epoch_[*selected.epoch - 1]]
                         : identifications_.front();
    return std::move(result_);
  }

 private:
  bool by_groups() const { return options_.select.criterion == Criterion::inferred_groups; }

  /// No class has both mistakes and correct samples.
  void say_nothing_of_a_shortcut(Identification& found) {
    const std::string reason =
        "no class has both correct and misclassified samples in the identification split";
    found.warnings.push_back(reason +
                             ", so the ERM head is kept; use another split or a larger one");
    found.test = asked_test(held_out_, ranked_, erm_, options_.identify);
    const auto& scores = found.scores.scores;
    const auto mask = options_.identify.aggregate == Aggregate::per_class ? scores : scores[0];
    found.biased = {at::zeros_like(mask, at::kBool), at::ones_like(mask)};
    result_.shortcut.emplace().reason = reason;
  }

  void end_infinite(int64_t epoch) {
    const auto why = "retraining became infinite in epoch " + std::to_string(epoch) +
                     "; a lower learning rate may help (now " +
                     describe(options_.tune.learning_rate) + ")";
    if (result_.trajectory.empty() && !by_groups()) throw Error(why);
    result_.warnings.push_back(why);
  }

  void select_by_sfit() {
    result_.candidates = ranked(result_.trajectory, options_.select);
    if (!result_.candidates.empty()) return;
    result_.warnings.emplace_back(
        "no epoch has a spuriousness fitness score, since no class had both correct and "
        "misclassified samples: the ERM head is kept");
    auto erm = judged_erm();
    erm.sfit.reset();
    result_.candidates = {std::move(erm)};
  }

  /// Without support for a shortcut the ERM head comes first, whatever the ranks.
  void select_by_groups() {
    const auto& search = *result_.shortcut;
    const auto erm = judged_erm();
    result_.erm_inferred = erm.inferred;
    std::vector<Checkpoint> pool = {erm};
    if (search.found_groups() && erm_.is_linear()) pool.push_back(rebalanced());
    pool.insert(pool.end(), result_.trajectory.begin(), result_.trajectory.end());
    result_.refused = static_cast<int64_t>(std::erase_if(pool, [&](const Checkpoint& candidate) {
      return drops_too_far(candidate.accuracy.balanced_accuracy, erm.accuracy.balanced_accuracy,
                           options_.select);
    }));
    result_.candidates = ranked(pool, options_.select);
    if (search.verdict == ShortcutVerdict::supported) return;
    std::erase_if(result_.candidates,
                  [](const Checkpoint& candidate) { return candidate.source == Source::erm; });
    result_.candidates.insert(result_.candidates.begin(), erm);
  }

  Checkpoint rebalanced() {
    const auto& groups = result_.shortcut->groups;
    const auto biased = no_mask();
    RebalancedRetrainer retrainer(tuning_, erm_, options_.shortcut.retraining);
    auto head = retrainer.fit(rebalancing_weights(tuning_, groups), biased.mask, groups.effects());
    if (!retrainer.shortfall().empty()) result_.warnings.push_back(retrainer.shortfall());
    return judged(Source::rebalanced, std::move(head), biased);
  }

  /// No mask at all.
  BiasedDimensions no_mask() const {
    return {at::zeros_like(biased_.biased), at::ones_like(biased_.mask)};
  }

  Checkpoint judged_erm() {
    auto erm = judged(Source::erm, erm_, no_mask());
    erm.epoch = 0;
    return erm;
  }

  /// Holds a head's predictions on the identification split against its labels.
  Checkpoint judged(Source source, Head head, const BiasedDimensions& biased) {
    const auto predicted = predictions(head, held_out_.embeddings);
    scores_ = ranked_.scores(predicted);
    Checkpoint checkpoint;
    checkpoint.source = source;
    checkpoint.sfit = spuriousness_fitness(scores_);
    checkpoint.accuracy = accuracy_metrics(predicted, held_out_.labels, head.classes());
    checkpoint.inferred = judged_by_groups(predicted);
    checkpoint.head = std::move(head);
    checkpoint.biased = biased;
    return checkpoint;
  }

  std::optional<InferredAccuracy> judged_by_groups(const at::Tensor& predicted) const {
    if (!result_.shortcut || !result_.shortcut->found_groups()) return std::nullopt;
    const auto& trusted = result_.shortcut->trusted;
    return inferred_accuracy(predicted.index_select(0, trusted),
                             held_out_.labels.index_select(0, trusted), result_.shortcut->beliefs,
                             erm_.classes());
  }

  /// A head without a mistake, or without a correct sample, identifies nothing: its mask stays.
  bool refresh_is_due(int64_t epoch) const {
    const int64_t every = options_.tune.refresh;
    return every > 0 && epoch > 1 && (epoch - 1) % every == 0 && scores_.any_usable();
  }

  LabelledEmbeddings held_out_, tuning_;
  Head erm_;
  const NeuronTuneOptions& options_;
  RankedSplit ranked_;  ///< the held-out data
  NeuronTuneResult result_;

  SpuriousnessScores scores_;                         ///< of the head judged last
  BiasedDimensions biased_;                           ///< the mask in force
  std::vector<SpuriousnessScores> identifications_;   ///< one, and one more a refresh
  std::vector<std::size_t> identification_of_epoch_;  ///< index into them
};

}  // namespace

const char* name(Source source) {
  switch (source) {
    case Source::erm:
      return "erm";
    case Source::neurontune:
      return "neurontune";
    case Source::rebalanced:
      return "rebalanced";
  }
  return "";
}

void NeuronTuneOptions::validate() const {
  identify.validate();
  tune.validate();
  select.validate();
  shortcut.validate();
}

NeuronTuneResult neuron_tune(const LabelledEmbeddings& identification,
                             const LabelledEmbeddings& tuning, const Head& erm,
                             const NeuronTuneOptions& options, const ProgressFn& progress) {
  options.validate();
  if (!erm.is_linear() && options.identify.aggregate == Aggregate::per_class)
    throw OptionError(
        "aggregate is per_class, but a head of several layers has no weight of a class's own for "
        "a mask; expected union, intersection or mean");
  check_split(identification, erm, "the identification split");
  check_split(tuning, erm, "the tuning split");
  if (identification.embeddings.device() != tuning.embeddings.device())
    throw Error("the identification split is on " + identification.embeddings.device().str() +
                ", the tuning split on " + tuning.embeddings.device().str());
  const c10::NoGradGuard no_grad;
  const auto dtype = tuning.embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  Run run(identification, tuning, to(erm, tuning.embeddings.device(), dtype), options);
  if (run.identify_first()) {
    run.search();
    run.retrain(progress);
  }
  return run.select();
}

}  // namespace neurontune
