#include "neurontune/method/neuron_tune.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "checks.h"
#include "describe.h"
#include "method/split_checks.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

/// A fall of balanced accuracy, against the ERM head's, that is worth a warning.
constexpr double kAccuracyFall = 0.05;

void warn_of_selection(const NeuronTuneResult& result, std::vector<std::string>& warnings) {
  if (result.candidates.empty()) {
    warnings.emplace_back(
        "no epoch has a spuriousness fitness score, since no class had both correct and "
        "misclassified samples: the ERM head is kept");
    return;
  }
  const auto& selected = result.trajectory[result.candidates.front()];
  const double fall = result.erm_accuracy.balanced_accuracy - selected.accuracy.balanced_accuracy;
  if (fall > kAccuracyFall)
    warnings.push_back("class-balanced accuracy on the identification split fell from " +
                       as_percent(result.erm_accuracy.balanced_accuracy) + " to " +
                       as_percent(selected.accuracy.balanced_accuracy));
}

std::vector<std::size_t> ranked(const std::vector<Checkpoint>& trajectory,
                                const SelectionOptions& options) {
  std::vector<CheckpointFigures> figures;
  for (const auto& checkpoint : trajectory)
    figures.push_back({checkpoint.epoch, checkpoint.sfit, checkpoint.accuracy.balanced_accuracy});
  return ranked_candidates(figures, options);
}

/// One run of the method: identify, retrain epoch by epoch, select.
class Run {
 public:
  Run(const LabelledEmbeddings& held_out, const Head& erm, const NeuronTuneOptions& options)
      : held_out_{held_out.embeddings.detach(), held_out.labels.detach()},
        erm_(erm),
        options_(options) {}

  void identify_first() {
    auto found = identify(held_out_, erm_, options_.identify);
    result_.erm_accuracy = std::move(found.accuracy);
    result_.warnings = std::move(found.warnings);
    scores_ = std::move(found.scores);
    biased_ = std::move(found.biased);
    identifications_.push_back(scores_);
  }

  void retrain(const LabelledEmbeddings& tuning, const ProgressFn& progress) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(options_.seed);
    const auto start = options_.tune.start == Start::erm ? erm_ : fresh_head(erm_, generator);
    HeadRetrainer retrainer(tuning.embeddings, tuning.labels, start, options_.tune, generator);
    retrainer.set_mask(biased_.mask);
    for (int64_t epoch = 1; epoch <= options_.tune.epochs; ++epoch) {
      if (refresh_is_due(epoch)) {
        biased_ = biased_dimensions(scores_, options_.identify);
        identifications_.push_back(scores_);
        retrainer.set_mask(biased_.mask);
      }
      const double loss = retrainer.run_epoch();
      add_checkpoint(epoch, loss, retrainer.head());
      if (progress) progress("tune", epoch, options_.tune.epochs);
    }
  }

  NeuronTuneResult select() {
    result_.candidates = ranked(result_.trajectory, options_.select);
    warn_of_selection(result_, result_.warnings);
    if (result_.candidates.empty()) {
      result_.head = erm_;
      result_.scores = identifications_.front();
      result_.biased = {at::zeros_like(biased_.biased), at::ones_like(biased_.mask)};
      return std::move(result_);
    }
    const auto best = result_.candidates.front();
    const auto& selected = result_.trajectory[best];
    result_.head = selected.head;
    result_.biased = selected.biased;
    result_.scores = identifications_[identification_of_epoch_[best]];
    result_.selected_epoch = selected.epoch;
    result_.sfit = selected.sfit;
    return std::move(result_);
  }

 private:
  /// Holds a head's predictions on the identification split against its labels.
  void judge(const Head& head) {
    const auto predicted = predictions(head, held_out_.embeddings);
    accuracy_ = accuracy_metrics(predicted, held_out_.labels, head.classes());
    scores_ = spuriousness_scores(held_out_.embeddings, held_out_.labels, predicted, head.classes(),
                                  options_.identify.activation);
  }

  /// A head without a mistake, or without a correct sample, identifies nothing: its mask stays.
  bool refresh_is_due(int64_t epoch) const {
    const int64_t every = options_.tune.refresh;
    return every > 0 && epoch > 1 && (epoch - 1) % every == 0 && scores_.any_usable();
  }

  void add_checkpoint(int64_t epoch, double loss, Head head) {
    judge(head);
    result_.trajectory.push_back(
        {epoch, loss, spuriousness_fitness(scores_), accuracy_, std::move(head), biased_});
    identification_of_epoch_.push_back(identifications_.size() - 1);
  }

  LabelledEmbeddings held_out_;
  Head erm_;
  const NeuronTuneOptions& options_;
  NeuronTuneResult result_;

  AccuracyMetrics accuracy_;                          ///< of the head judged last
  SpuriousnessScores scores_;                         ///< under that head's predictions
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
  Run run(identification, to(erm, tuning.embeddings.device(), dtype), options);
  run.identify_first();
  run.retrain(tuning, progress);
  return run.select();
}

}  // namespace neurontune
