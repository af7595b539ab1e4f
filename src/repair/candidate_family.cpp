#include "repair/candidate_family.h"
#include "core/stratified_folds.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <utility>

#include "method/epochs.h"
#include "neurontune/base/error.h"
#include "neurontune/repair/bias_shift.h"
#include "neurontune/shortcut/rebalanced_retraining.h"

namespace neurontune {
namespace {

constexpr FittedTo kAll[] = {FittedTo::tuning, FittedTo::held_out, FittedTo::both};

/// The data, thinned.
LabelledEmbeddings data_of(const FittingData& data, FittedTo which) {
  if (which == FittedTo::held_out) return data.some_of_held_out;
  return which == FittedTo::tuning ? data.some_of_tuning : both(data);
}

class Erm : public CandidateFamily {
 public:
  Fitted fit(const FittingData& data) override {
    Fitted result;
    result.add({}, data.erm);
    return result;
  }
};

class BiasShift : public CandidateFamily {
 public:
  Fitted fit(const FittingData& data) override {
    Fitted result;
    result.add({Source::bias_shift, FittedTo::held_out}, shift_biases(data.held_out, data.erm));
    return result;
  }
};

class Anchored : public CandidateFamily {
 public:
  explicit Anchored(const AnchoredOptions& options) : options_(options) {}

  Fitted fit(const FittingData& data) override {
    Fitted result;
    auto heads = anchored_heads(data.some_of_held_out, data.erm, options_, data.of_held_out);
    const auto settings = anchored_settings(options_);
    for (std::size_t i = 0; i < heads.size(); ++i)
      result.add({Source::anchored, FittedTo::held_out, {}, settings[i].penalty, settings[i].gamma},
                 std::move(heads[i]));
    return result;
  }

 private:
  AnchoredOptions options_;
};

/// Penalised regressions in which the classes count alike, or the inferred groups.
class Regression : public CandidateFamily {
 public:
  Regression(FittedTo which, bool by_groups, const RebalancingOptions& options)
      : which_(which), by_groups_(by_groups), options_(options) {}

  Fitted fit(const FittingData& data) override {
    Fitted result;
    // What is fitted to tuning alone, without groups, is the same in each fold.
    if (!fixed_.defined() || which_ != FittedTo::tuning || by_groups_) fit_anew(data, result);
    result.add({by_groups_ ? Source::rebalanced : Source::balanced, which_}, head_);
    return result;
  }

 private:
  void fit_anew(const FittingData& data, Fitted& result) {
    const auto samples = data_of(data, which_);
    RebalancedRetrainer retrainer(samples, data.erm, options_,
                                  which_ == FittedTo::tuning ? data.of_tuning : data.of_held_out);
    const auto every_dimension = at::ones({data.erm.embedding_dim()}, data.erm.weight.options());
    head_ = by_groups_ ? retrainer.fit(rebalancing_weights(samples, *data.groups), every_dimension,
                                       data.groups->effects())
                       : retrainer.fit(class_weights(samples, data.erm.classes()), every_dimension);
    fixed_ = head_.weight;
    if (!retrainer.shortfall().empty()) result.warnings.push_back(retrainer.shortfall());
  }

  static at::Tensor class_weights(const LabelledEmbeddings& data, int64_t classes) {
    const auto one_value = at::ones({data.labels.size(0), 1}, data.embeddings.options());
    return rebalancing_weights(data.labels, one_value, classes);
  }

  FittedTo which_;
  bool by_groups_;
  RebalancingOptions options_;
  Head head_;
  at::Tensor fixed_;
};

/// The epochs of the paper's method.
class NeuronTuneEpochs : public CandidateFamily {
 public:
  NeuronTuneEpochs(FittedTo which, const NeuronTuneOptions& options)
      : which_(which), options_(options) {
    options_.select.criterion = Criterion::sfit;
  }

  Fitted fit(const FittingData& data) override {
    Fitted result;
    if (!data.mask.defined()) return result;
    try {
      if (data.neurontune && which_ == FittedTo::tuning)
        for (const auto& checkpoint : data.neurontune->trajectory)
          add(checkpoint.epoch, checkpoint.head, result);
      else
        retrain(data, result);
    } catch (const Error& error) {
      result.warnings.push_back(std::string("NeuronTune fitted to ") + name(which_) +
                                " is no candidate: " + error.what());
    }
    return result;
  }

 private:
  LabelledEmbeddings tuning_of(const FittingData& data) const {
    if (which_ == FittedTo::tuning) return data.tuning;
    return which_ == FittedTo::held_out ? data.held_out : both(data);
  }

  /// As `neuron_tune`, whose epochs need not be judged here; with `refresh` they are.
  void retrain(const FittingData& data, Fitted& result) const {
    const auto tuning = tuning_of(data);
    if (options_.tune.refresh > 0) {
      for (const auto& checkpoint :
           neuron_tune(data.held_out, tuning, data.erm, options_).trajectory)
        add(checkpoint.epoch, checkpoint.head, result);
      return;
    }
    auto generator = at::make_generator<at::CPUGeneratorImpl>(options_.seed);
    const auto start = starting_head(data.erm, options_.tune.start, generator);
    HeadRetrainer retrainer(tuning.embeddings, tuning.labels, start, options_.tune, generator);
    retrainer.set_mask(data.mask);
    for (int64_t epoch = 1; epoch <= options_.tune.epochs; ++epoch) {
      retrainer.run_epoch();
      auto head = retrainer.head();
      if (!is_finite(head)) return;
      add(epoch, std::move(head), result);
    }
  }

  void add(int64_t epoch, Head head, Fitted& result) const {
    result.add({Source::neurontune, which_, epoch}, std::move(head));
  }

  FittedTo which_;
  NeuronTuneOptions options_;
};

}  // namespace

std::vector<std::unique_ptr<CandidateFamily>> candidate_families(const Head& erm, bool has_groups,
                                                                 const RepairOptions& options) {
  std::vector<std::unique_ptr<CandidateFamily>> families;
  families.push_back(std::make_unique<Erm>());
  if (erm.is_linear()) {
    if (erm.bias.defined()) families.push_back(std::make_unique<BiasShift>());
    families.push_back(std::make_unique<Anchored>(options.anchored));
    for (const auto which : kAll)
      families.push_back(
          std::make_unique<Regression>(which, /*by_groups=*/false, options.shortcut.retraining));
  }
  for (const auto which : kAll)
    families.push_back(std::make_unique<NeuronTuneEpochs>(which, options.neurontune));
  if (erm.is_linear() && has_groups)
    for (const auto which : kAll)
      families.push_back(
          std::make_unique<Regression>(which, /*by_groups=*/true, options.shortcut.retraining));
  return families;
}

LabelledEmbeddings thinned(const LabelledEmbeddings& data, int64_t classes,
                           int64_t most_of_a_class) {
  std::vector<at::Tensor> kept;
  for (int64_t label = 0; label < classes; ++label) {
    const auto members = data.labels.eq(label).nonzero().squeeze(1);
    const int64_t samples = std::min(members.size(0), most_of_a_class);
    const auto places = at::arange(samples, members.options()) * members.size(0) / samples;
    kept.push_back(samples == 0 ? members : members.index_select(0, places.floor().to(at::kLong)));
  }
  const auto rows = std::get<0>(at::cat(kept).sort());
  if (rows.size(0) == data.labels.size(0)) return data;
  return at_rows(data, rows);
}

LabelledEmbeddings both(const FittingData& data) {
  const auto &held_out = data.some_of_held_out, &tuning = data.some_of_tuning;
  const int64_t samples = tuning.labels.size(0);
  const int64_t step = std::max<int64_t>(1, samples / held_out.labels.size(0));
  return {at::cat({held_out.embeddings, tuning.embeddings.slice(0, 0, samples, step)}),
          at::cat({held_out.labels, tuning.labels.slice(0, 0, samples, step)}),
          held_out.known_finite && tuning.known_finite};
}

}  // namespace neurontune
