#include "neurontune/shortcut/shortcut_search.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/computing_type.h"
#include "base/describe.h"
#include "base/option_checks.h"
#include "core/split_checks.h"
#include "core/stratified_folds.h"
#include "neurontune/base/error.h"
#include "numerics/column_scaling.h"
#include "numerics/cross_product.h"
#include "numerics/fixed_blocks.h"
#include "shortcut/group_fit.h"
#include "shortcut/label_errors.h"
#include "shortcut/principal_components.h"

namespace neurontune {
namespace {

std::string rounded(double value) { return describe(std::round(value * 100) / 100); }

/// The rows of some samples, bool [N].
at::Tensor rows(const at::Tensor& tensor, const at::Tensor& samples) {
  return tensor.index_select(0, samples.nonzero().squeeze(1));
}

/// Tuning samples, evenly spaced, that a linear head is retrained on.
LabelledEmbeddings probe_samples(const LabelledEmbeddings& tuning) {
  const int64_t samples = tuning.labels.size(0);
  const int64_t step = (samples + kProbeSamples - 1) / kProbeSamples;
  return {tuning.embeddings.slice(0, 0, samples, step), tuning.labels.slice(0, 0, samples, step),
          tuning.known_finite};
}

/// A linear head of the embeddings, whatever the ERM head is, as the shape of what is retrained.
Head linear_like(const LabelledEmbeddings& data, int64_t classes) {
  const auto dtype = computing_type(data.embeddings);
  const auto options = data.embeddings.options().dtype(dtype);
  return {at::zeros({classes, data.embeddings.size(1)}, options), at::zeros({classes}, options)};
}

/// The held-out data in folds, all scaled alike, so that each fit's products are those of the whole
/// less those of the fold it leaves out.
class Folds {
 public:
  Folds(const LabelledEmbeddings& data, int64_t classes, const ShortcutSearchOptions& options,
        uint64_t seed)
      : shrinkage_(options.groups.shrinkage),
        components_(data, classes, options.components),
        inputs_(components_.of(data.embeddings)),
        labels_(data.labels),
        in_use_(at::ones_like(data.labels, at::kBool)) {
    fold_of_ = stratified_folds(data.labels, classes, options.folds, seed);
    for (int64_t fold = 0; fold < options.folds; ++fold) {
      members_.push_back(fold_of_.eq(fold));
      const auto of_fold = gram_of(members_.back());
      grams_.push_back(of_fold.to(inputs_.scalar_type()));
      gram_ = fold == 0 ? of_fold.clone() : gram_.add_(of_fold);
    }
  }

  /// Leaves samples out from here on. @param samples bool [N]
  void withdraw(const at::Tensor& samples) {
    for (std::size_t fold = 0; fold < members_.size(); ++fold) {
      const auto withdrawn = gram_of(members_[fold].logical_and(samples));
      grams_[fold] -= withdrawn;
      gram_ -= withdrawn;
      members_[fold].logical_and_(samples.logical_not());
    }
    in_use_.logical_and_(samples.logical_not());
  }

  std::size_t count() const { return members_.size(); }
  const at::Tensor& members() const { return in_use_; }   ///< bool [N]
  const at::Tensor& fold_of() const { return fold_of_; }  ///< int64 [N]

  const PrincipalComponents& components() const { return components_; }

  GroupData whole() const { return fitted(in_use_, gram_.clone()); }
  GroupData without(std::size_t fold) const {
    const auto others = in_use_.logical_and(members_[fold].logical_not());
    return fitted(others, gram_ - grams_[fold]);
  }

 private:
  /// @param moments the samples' Gram matrix; written over
  GroupData fitted(const at::Tensor& samples, at::Tensor moments) const {
    GroupData data{components_.scaling(), inputs_, labels_, samples, {}};
    factor_second_moments(data, std::move(moments), shrinkage_);
    return data;
  }

  at::Tensor gram_of(const at::Tensor& samples) const { return gram(rows(inputs_, samples)); }

  double shrinkage_;
  PrincipalComponents components_;
  at::Tensor inputs_, labels_, in_use_, fold_of_;
  at::Tensor gram_;  ///< of the samples in use, float64 [M, M]
  std::vector<at::Tensor> members_;
  std::vector<at::Tensor> grams_;  ///< of each fold, in the inputs' dtype, in which its terms are
};

class Search {
 public:
  Search(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning, const Head& erm,
         const ShortcutSearchOptions& options)
      : held_out_(held_out),
        tuning_(tuning),
        options_(options),
        classes_(erm.classes()),
        outputs_(logits(erm, held_out.embeddings)),
        predicted_(outputs_.argmax(1)),
        mistaken_(predicted_.ne(held_out.labels)) {}

  ShortcutSearch run(uint64_t seed) {
    ShortcutSearch result;
    result.reason = why_undecided();
    if (!result.reason.empty()) return result;
    Probe probe(probe_samples(tuning_), held_out_.embeddings, classes_, options_.retraining);
    Folds folds(held_out_, classes_, options_, seed);
    const auto suspected = suspected_labels(probe, folds);
    result.suspected_labels = suspected.sum().item<int64_t>();
    result.reason = why_undecided_without(suspected);
    if (!result.reason.empty()) return result;

    folds.withdraw(suspected);
    infer(probe, folds, result);
    result.warnings = probe.warnings();
    if (!std::isfinite(*result.evidence())) return without_figures(result);
    decide(result);
    return result;
  }

 private:
  /// A linear head, whatever the ERM head is, retrained on rebalanced groups.
  class Probe {
   public:
    Probe(const LabelledEmbeddings& tuning, const at::Tensor& held_out, int64_t classes,
          const RebalancingOptions& options)
        : tuning_(tuning),
          held_out_(held_out),
          like_(linear_like(tuning, classes)),
          retrainer_(tuning_, like_, options) {}

    /// The logits of the held-out samples: [N, C].
    at::Tensor operator()(const InferredGroups& groups) {
      return outputs(rebalancing_weights(tuning_, groups), {});
    }

    /// The same of a head of balanced classes that is not to follow some effects.
    at::Tensor without(const at::Tensor& effects) {
      const auto one_value = at::ones({tuning_.labels.size(0), 1}, like_.weight.options());
      return outputs(rebalancing_weights(tuning_.labels, one_value, like_.classes()), effects);
    }

    /// Of the first fit that fell short.
    const std::vector<std::string>& warnings() const { return warnings_; }

   private:
    at::Tensor outputs(const at::Tensor& weights, const at::Tensor& effects) {
      const auto mask = at::ones({like_.embedding_dim()}, like_.weight.options());
      const auto head = retrainer_.fit(weights, mask, effects);
      if (!retrainer_.shortfall().empty() && warnings_.empty())
        warnings_.push_back("in the search for a shortcut, " + retrainer_.shortfall());
      return logits(head, held_out_);
    }

    LabelledEmbeddings tuning_;
    const at::Tensor& held_out_;
    Head like_;
    RebalancedRetrainer retrainer_;
    std::vector<std::string> warnings_;
  };

  std::string why_undecided() const {
    if (classes_ < 2) return "the head has one class";
    const int64_t samples = held_out_.labels.size(0);
    const auto per_group = static_cast<double>(samples) / static_cast<double>(classes_ * classes_);
    if (per_group < options_.samples_per_group)
      return std::to_string(samples) + " held-out samples are too few to infer " +
             std::to_string(classes_ * classes_) + " groups (" + describe(per_group) +
             " a group, expected " + describe(options_.samples_per_group) + ")";
    const auto mistakes = mistaken_.sum().item<int64_t>();
    if (mistakes < 2 * classes_)
      return "the ERM head makes " + std::to_string(mistakes) +
             " mistakes on held-out data, too few to infer groups from";
    const auto counts = at::bincount(held_out_.labels, {}, classes_);
    const auto fewest = counts.min().item<int64_t>();
    if (fewest < options_.folds)
      return "class " + std::to_string(counts.argmin().item<int64_t>()) + " has " +
             std::to_string(fewest) + " held-out samples, fewer than there are folds";
    return "";
  }

  std::string why_undecided_without(const at::Tensor& suspected) const {
    const auto left = mistaken_.logical_and(suspected.logical_not()).sum().item<int64_t>();
    if (left >= 2 * classes_) return "";
    return "of the ERM head's mistakes on held-out data all but " + std::to_string(left) +
           " look like wrong labels, which is too few to infer groups from";
  }

  /// Held-out samples that are predicted otherwise than they are labelled: bool [N].
  at::Tensor wrong(const at::Tensor& logits) const { return logits.argmax(1).ne(held_out_.labels); }

  /// Mistakes that a retrained head makes too, and that both heads are sure of: bool [N].
  at::Tensor suspected_labels(Probe& probe, const Folds& folds) const {
    const auto outputs = probe(fit(folds, folds.whole()));
    return mistaken_.logical_and(wrong(outputs))
        .logical_and(surely_wrong(outputs_))
        .logical_and(surely_wrong(outputs));
  }

  /// bool [N]
  at::Tensor surely_wrong(const at::Tensor& logits) const {
    return likely_label_errors(logits.to(at::kDouble).softmax(1), held_out_.labels);
  }

  void infer(Probe& probe, const Folds& folds, ShortcutSearch& result) const {
    const auto& trusted = folds.members();
    result.groups = fit(folds, folds.whole());
    result.reliance = reliance(probe, result.groups.effects(), trusted);
    result.trusted = trusted.nonzero().squeeze(1);
    for (std::size_t fold = 0; fold < folds.count(); ++fold)
      result.of_other_folds.push_back(fit(folds, folds.without(fold)));
    result.fold_of = folds.fold_of();
    result.beliefs = cross_fitted(result).index_select(0, result.trusted);
    result.separation = separation(result);
  }

  /// Groups that begin with the ERM head's predictions.
  InferredGroups fit(const Folds& folds, const GroupData& data) const {
    return folds.components().of_embeddings(
        fit_groups(data, predicted_, classes_, options_.groups));
  }

  /// The errors of a head that may not follow the effects over those of one that may, one more
  /// each.
  double reliance(Probe& probe, const at::Tensor& effects, const at::Tensor& trusted) const {
    const auto errors = [&](const at::Tensor& logits) {
      return static_cast<double>(wrong(logits).logical_and(trusted).sum().item<int64_t>() + 1);
    };
    const double free = errors(probe.without({}));
    return errors(probe.without(effects)) / free;
  }

  /// How far a sample's value of the attribute is from that of its class, on average over the
  /// beliefs in others, shrunk where these are few; 0 where they are less than one sample's.
  double separation(const ShortcutSearch& found) const {
    const auto labels = held_out_.labels.index_select(0, found.trusted);
    const auto one_hot = at::one_hot(labels, classes_).to(at::kDouble);
    const auto sizes = cross_product(one_hot, found.beliefs).fill_diagonal_(0);
    double distances = 0, all = 0;
    on_one_thread(sizes.device(), [&] {
      distances = (sizes * found.groups.distances()).sum().item<double>();
      all = sizes.sum().item<double>();
    });
    if (all < 1) return 0;
    const double a_class = all / static_cast<double>(classes_);
    return distances / all * std::sqrt(a_class / (a_class + kShrinkingSamples));
  }

  /// Of each sample by groups that were fitted to others: [N, C].
  at::Tensor cross_fitted(const ShortcutSearch& found) const {
    auto beliefs = at::zeros({held_out_.labels.size(0), classes_},
                             held_out_.embeddings.options().dtype(at::kDouble));
    for (std::size_t fold = 0; fold < found.of_other_folds.size(); ++fold)
      beliefs.add_(found.of_other_folds[fold].beliefs(held_out_) *
                   found.fold_of.eq(static_cast<int64_t>(fold)).unsqueeze(1));
    return beliefs;
  }

  static ShortcutSearch without_figures(const ShortcutSearch& found) {
    ShortcutSearch undecided;
    undecided.reason = "the inferred groups overlap too much for a numerical result";
    undecided.suspected_labels = found.suspected_labels;
    undecided.warnings = found.warnings;
    return undecided;
  }

  void decide(ShortcutSearch& result) const {
    const bool supported = *result.evidence() >= options_.evidence_threshold;
    result.verdict = supported ? ShortcutVerdict::supported : ShortcutVerdict::unsupported;
    result.reason = "the inferred groups lie " + rounded(*result.separation) +
                    " standard deviations apart, and a head that cannot use them makes " +
                    rounded(*result.reliance) + " times as many errors: evidence " +
                    rounded(*result.evidence()) + ", threshold " +
                    describe(options_.evidence_threshold);
  }

  const LabelledEmbeddings& held_out_;
  const LabelledEmbeddings& tuning_;
  const ShortcutSearchOptions& options_;
  int64_t classes_;
  at::Tensor outputs_;    ///< logits of the ERM head, [N, C]
  at::Tensor predicted_;  ///< by it, int64 [N]
  at::Tensor mistaken_;   ///< bool [N]
};

}  // namespace

const char* name(ShortcutVerdict verdict) {
  switch (verdict) {
    case ShortcutVerdict::supported:
      return "supported";
    case ShortcutVerdict::unsupported:
      return "unsupported";
    case ShortcutVerdict::undecided:
      return "undecided";
  }
  return "";
}

std::optional<double> ShortcutSearch::evidence() const {
  if (!found_groups()) return std::nullopt;
  const auto classes = static_cast<double>(beliefs.size(1));
  return *separation * std::cbrt(*reliance) / std::pow(classes, kEvidencePerClass);
}

void ShortcutSearchOptions::validate() const {
  groups.validate();
  retraining.validate();
  check_number("evidence_threshold", evidence_threshold, evidence_threshold >= 0, "0 or more");
  check_at_least("components", components, 1);
  check_between("folds", folds, 2, 100);
  check_number("samples_per_group", samples_per_group, samples_per_group >= 0, "0 or more");
}

ShortcutSearch search_shortcut(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning,
                               const Head& erm, const ShortcutSearchOptions& options,
                               uint64_t seed) {
  options.validate();
  check_split(held_out, erm, "the held-out split");
  check_split(tuning, erm, "the tuning split");
  const c10::NoGradGuard no_grad;
  const auto judged = checked(held_out), retrained = checked(tuning);
  const auto dtype = computing_type(judged.embeddings);
  const auto head = to(erm, judged.embeddings.device(), dtype);
  try {
    return Search(judged, retrained, head, options).run(seed);
  } catch (const NoVariation& error) {
    ShortcutSearch undecided;
    undecided.reason = error.what();
    return undecided;
  }
}

}  // namespace neurontune
