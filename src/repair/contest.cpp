#include "repair/contest.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "core/stratified_folds.h"
#include "neurontune/base/error.h"
#include "numerics/fixed_blocks.h"
#include "repair/acceptance.h"
#include "repair/fit_progress.h"

namespace neurontune {

Contest::Contest(LabelledEmbeddings held_out, LabelledEmbeddings tuning, Head erm,
                 const RepairOptions& options, const ShortcutSearch& shortcut,
                 const NeuronTuneResult& neurontune, at::Tensor attributes)
    : held_out_(std::move(held_out)),
      tuning_(std::move(tuning)),
      some_of_tuning_(thinned(tuning_, erm.classes())),
      erm_(std::move(erm)),
      options_(options),
      shortcut_(shortcut),
      neurontune_(neurontune),
      attributes_(std::move(attributes)),
      families_(candidate_families(erm_, shortcut.found_groups(), options)) {
  if (!can_judge()) families_.resize(1);  // the ERM head
  if (!erm_.is_linear()) return;
  of_held_out_ = std::make_shared<Curvature>(held_out_.embeddings);
  of_tuning_ = std::make_shared<Curvature>(some_of_tuning_.embeddings);
}

void Contest::run(const ProgressFn& progress) {
  const int64_t folds = options_.shortcut.folds;
  const auto fold_of =
      shortcut_.fold_of.defined()
          ? shortcut_.fold_of
          : stratified_folds(held_out_.labels, erm_.classes(), folds, options_.neurontune.seed);
  std::vector<Folded> predicted(families_.size());
  settings_.resize(families_.size());
  for (int64_t fold = 0; fold < folds; ++fold) run_fold(fold, fold_of, predicted, progress);
  judge(predicted);
}

std::optional<Head> Contest::fitted(std::size_t candidate) {
  auto data = fitting_data(held_out_, shortcut_.found_groups() ? &shortcut_.groups : nullptr);
  data.neurontune = &neurontune_;
  data.mask = neurontune_.biased.mask;
  const auto place = places_[candidate];
  auto found = families_[place.family]->fit(data);
  warn(found.warnings);
  if (place.member >= found.heads.size()) return std::nullopt;
  return std::move(found.heads[place.member]);
}

bool Contest::can_judge() {
  if (erm_.classes() < 2) return false;
  const int64_t folds = options_.shortcut.folds;
  const int64_t fewest = fewest_of_a_class(held_out_.labels, erm_.classes());
  if (fewest >= folds) return true;
  warn({"a class has " + std::to_string(fewest) +
        " held-out samples, fewer than there are folds (" + std::to_string(folds) +
        "), so candidates cannot be cross-validated; the ERM head is kept"});
  return false;
}

FittingData Contest::fitting_data(const LabelledEmbeddings& held_out,
                                  const InferredGroups* groups) {
  return {held_out,        tuning_, thinned(held_out, erm_.classes()),
          some_of_tuning_, erm_,    of_held_out_,
          of_tuning_,      groups,  {},
          nullptr};
}

void Contest::run_fold(int64_t fold, const at::Tensor& fold_of, std::vector<Folded>& predicted,
                       const ProgressFn& progress) {
  const auto* groups = shortcut_.found_groups()
                           ? &shortcut_.of_other_folds[static_cast<std::size_t>(fold)]
                           : nullptr;
  const auto rows = fold_of.eq(fold).nonzero().squeeze(1);
  const auto left_out = held_out_.embeddings.index_select(0, rows);
  auto data = fitting_data(those(held_out_, fold_of.ne(fold)), groups);
  data.mask = mask_of(data.held_out);
  const auto families = static_cast<int64_t>(families_.size());
  std::vector<CandidateFamily::Fitted> found(families_.size());
  FitProgress fits(progress, fold * families, options_.shortcut.folds * families);
  // Most of a fit is on one thread, so that families share the threads: every other one, since
  // those that follow each other take about as long.
  for_fixed_blocks(left_out.device(), families, 1, [&](int64_t first, int64_t last) {
    const c10::NoGradGuard no_grad;
    for (int64_t place = first; place < last && !fits.stopped(); ++place) {
      const int64_t half = (families + 1) / 2;
      const auto i = static_cast<std::size_t>(place < half ? 2 * place : 2 * (place - half) + 1);
      found[i] = families_[i]->fit(data);
      fits.finish_one();
    }
  });
  fits.tell();
  for (std::size_t i = 0; i < families_.size(); ++i) {
    if (fold == 0) {
      settings_[i] = found[i].settings;
      predicted[i].assign(found[i].heads.size(), {});
    }
    predict(i, found[i], left_out, rows.cpu(), predicted[i]);
  }
}

/// Of the dimensions that some held-out data identify; undefined where they identify nothing.
at::Tensor Contest::mask_of(const LabelledEmbeddings& held_out) {
  if (families_.size() == 1) return {};
  try {
    return identify(held_out, erm_, options_.neurontune.identify).biased.mask;
  } catch (const OptionError&) {
    throw;
  } catch (const Error& error) {
    warn({std::string("NeuronTune is no candidate: ") + error.what()});
    return {};
  }
}

/// A family may have fewer members in one fold than in another: those of all count.
void Contest::predict(std::size_t family, const CandidateFamily::Fitted& fitted,
                      const at::Tensor& left_out, const at::Tensor& rows, Folded& predicted) {
  warn(fitted.warnings);
  predicted.resize(std::min(predicted.size(), fitted.heads.size()));
  settings_[family].resize(predicted.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    if (!predicted[i].defined()) predicted[i] = at::zeros({held_out_.labels.size(0)}, at::kLong);
    predicted[i].index_copy_(0, rows, predictions(fitted.heads[i], left_out).cpu());
  }
}

void Contest::judge(const std::vector<Folded>& predicted) {
  const auto judge = judge_of(predicted.front().front());
  for (std::size_t family = 0; family < predicted.size(); ++family)
    for (std::size_t member = 0; member < predicted[family].size(); ++member) {
      auto judgement = judged(judge, settings_[family][member], predicted[family][member]);
      auto& candidate = judgement.candidate;
      candidate.sfit = sfit_of(candidate.settings);
      const auto& erm = judgements_.empty() ? candidate : judgements_.front().candidate;
      candidate.acceptance =
          acceptance(candidate, erm, shortcut_.verdict, options_.neurontune.select);
      judgements_.push_back(std::move(judgement));
      places_.push_back({family, member});
    }
}

Judge Contest::judge_of(const at::Tensor& of_erm) const {
  Judge judge{held_out_.labels.cpu(), of_erm, erm_.classes(), {}, {}};
  if (attributes_.defined()) {
    const auto known = attributes_.cpu();
    judge.rows = known.ge(0).nonzero().squeeze(1);
    judge.beliefs = at::one_hot(known.index_select(0, judge.rows)).to(at::kDouble);
    judge.cells = Judge::Cells::groups;
  } else if (shortcut_.found_groups()) {
    judge.rows = shortcut_.trusted.cpu();
    judge.beliefs = shortcut_.beliefs.cpu();
    if (shortcut_.verdict == ShortcutVerdict::supported)
      judge.cells = Judge::Cells::classes_and_groups;
  }
  return judge;
}

std::optional<double> Contest::sfit_of(const CandidateSettings& settings) const {
  const auto& epochs = neurontune_.trajectory;
  if (settings.source != Source::neurontune || settings.fitted_to != FittedTo::tuning ||
      *settings.epoch > static_cast<int64_t>(epochs.size()))
    return std::nullopt;
  return epochs[static_cast<std::size_t>(*settings.epoch - 1)].sfit;
}

void Contest::warn(const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings)
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
      warnings_.push_back(warning);
}

}  // namespace neurontune
