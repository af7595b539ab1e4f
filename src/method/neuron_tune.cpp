#include "neurontune/method/neuron_tune.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "base/checks.h"
#include "base/computing_type.h"
#include "base/describe.h"
#include "base/number_text.h"
#include "core/split_checks.h"
#include "method/epochs.h"
#include "method/flagging.h"
#include "method/paper_method.h"
#include "method/ranked_split.h"
#include "metrics/accuracy_fall.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

void warn_of_fall(const AccuracyMetrics& erm, const Checkpoint& selected,
                  std::vector<std::string>& warnings) {
  if (const auto warning = accuracy_fall("the identification split", erm.balanced_accuracy,
                                         selected.accuracy.balanced_accuracy))
    warnings.push_back(*warning);
}

/// Why the first of the candidates was selected.
std::string reason(const NeuronTuneResult& result, const SelectionOptions& options) {
  if (result.selected_epoch == 0)
    return "No epoch has a spuriousness fitness score, since no class had both correct and "
           "misclassified samples.";
  return "Its spuriousness fitness score, " + describe(*result.sfit) + ", is the highest of " +
         counted(static_cast<int64_t>(result.candidates.size()), "epoch") +
         (options.criterion == Criterion::guarded_sfit
              ? " whose class-balanced accuracy is within " + as_percent(options.guard) +
                    " of the best."
              : ".");
}

std::vector<Checkpoint> ranked(const std::vector<Checkpoint>& trajectory,
                               const SelectionOptions& options) {
  std::vector<CheckpointFigures> figures;
  for (const auto& checkpoint : trajectory)
    figures.push_back({checkpoint.sfit, checkpoint.accuracy.balanced_accuracy});
  std::vector<Checkpoint> best_first;
  for (const auto index : ranked_candidates(figures, options))
    best_first.push_back(trajectory[index]);
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

  void identify_first() {
    auto found = identify(held_out_, ranked_, erm_, options_.identify);
    result_.erm_accuracy = std::move(found.accuracy);
    result_.warnings = std::move(found.warnings);
    result_.test = std::move(found.test);
    scores_ = std::move(found.scores);
    biased_ = std::move(found.biased);
    identifications_.push_back(scores_);
  }

  void retrain(const ProgressFn& progress) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(options_.seed);
    const auto start = starting_head(erm_, options_.tune.start, generator);
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
      auto checkpoint = judged(std::move(head), biased_);
      checkpoint.epoch = epoch;
      checkpoint.loss = loss;
      result_.trajectory.push_back(std::move(checkpoint));
      identification_of_epoch_.push_back(identifications_.size() - 1);
      if (progress) progress("tune", epoch, options_.tune.epochs);
    }
  }

  NeuronTuneResult select() {
    result_.candidates = ranked(result_.trajectory, options_.select);
    if (result_.candidates.empty()) keep_erm();
    const auto& selected = result_.candidates.front();
    result_.head = selected.head;
    result_.biased = selected.biased;
    result_.sfit = selected.sfit;
    result_.selected_epoch = selected.epoch;
    result_.scores =
        identifications_[selected.epoch == 0 ? 0
                                             : identification_of_epoch_[static_cast<std::size_t>(
                                                   selected.epoch - 1)]];
    result_.reason = reason(result_, options_.select);
    return std::move(result_);
  }

 private:
  void end_infinite(int64_t epoch) {
    const auto why = infinite_retraining(epoch, options_.tune);
    if (result_.trajectory.empty()) throw Error(why);
    result_.warnings.push_back(why);
  }

  void keep_erm() {
    result_.warnings.emplace_back(
        "no epoch has a spuriousness fitness score, since no class had both correct and "
        "misclassified samples: the ERM head is kept");
    auto erm = judged(erm_, {at::zeros_like(biased_.biased), at::ones_like(biased_.mask)});
    erm.sfit.reset();
    result_.candidates = {std::move(erm)};
  }

  /// Holds a head's predictions on the identification split against its labels.
  Checkpoint judged(Head head, const BiasedDimensions& biased) {
    const auto predicted = predictions(head, held_out_.embeddings);
    scores_ = ranked_.scores(predicted);
    Checkpoint checkpoint;
    checkpoint.sfit = spuriousness_fitness(scores_);
    checkpoint.accuracy = accuracy_metrics(predicted, held_out_.labels, head.classes());
    checkpoint.head = std::move(head);
    checkpoint.biased = biased;
    return checkpoint;
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

void NeuronTuneOptions::validate() const {
  identify.validate();
  tune.validate();
  select.validate();
}

void check_aggregate(const Head& erm, const NeuronTuneOptions& options) {
  if (!erm.is_linear() && options.identify.aggregate == Aggregate::per_class)
    throw OptionError(
        "aggregate is per_class, but a head of several layers has no weight of a class's own for "
        "a mask; expected union, intersection or mean");
}

NeuronTuneResult paper_method(const LabelledEmbeddings& identification,
                              const LabelledEmbeddings& tuning, const Head& erm,
                              const NeuronTuneOptions& options, const ProgressFn& progress) {
  const c10::NoGradGuard no_grad;
  Run run(identification, tuning, erm, options);
  run.identify_first();
  run.retrain(progress);
  return run.select();
}

NeuronTuneResult neuron_tune(const LabelledEmbeddings& identification,
                             const LabelledEmbeddings& tuning, const Head& erm,
                             const NeuronTuneOptions& options, const ProgressFn& progress) {
  options.validate();
  check_aggregate(erm, options);
  if (is_of_repair(options.select.criterion))
    throw OptionError(std::string("criterion is ") + name(options.select.criterion) +
                      "; neuron_tune() has sfit and guarded_sfit, repair() the others");
  check_split(identification, erm, "the identification split");
  check_split(tuning, erm, "the tuning split");
  if (identification.embeddings.device() != tuning.embeddings.device())
    throw Error("the identification split is on " + identification.embeddings.device().str() +
                ", the tuning split on " + tuning.embeddings.device().str());
  const auto dtype = computing_type(tuning.embeddings);
  auto result = paper_method(identification, tuning, to(erm, tuning.embeddings.device(), dtype),
                             options, progress);
  warn_of_fall(result.erm_accuracy, result.candidates.front(), result.warnings);
  return result;
}

}  // namespace neurontune
