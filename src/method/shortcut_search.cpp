#include "neurontune/method/shortcut_search.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <vector>

#include "describe.h"
#include "method/column_scaling.h"
#include "method/cross_product.h"
#include "method/fixed_blocks.h"
#include "method/group_fit.h"
#include "method/split_checks.h"
#include "neurontune/error.h"
#include "option_checks.h"

namespace neurontune {
namespace {

/// Tuning samples that a linear head is retrained on to see which mistakes it repairs.
constexpr int64_t kProbeSamples = 16384;

at::Tensor rows(const at::Tensor& tensor, const at::Tensor& indices) {
  return tensor.index_select(0, indices);
}

LabelledEmbeddings rows(const LabelledEmbeddings& data, const at::Tensor& indices) {
  return {rows(data.embeddings, indices), rows(data.labels, indices)};
}

/// The fold of each sample, [N] on the CPU: a class's samples in turn, in a random order.
at::Tensor folds_of(const at::Tensor& labels, int64_t classes, int64_t folds, uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto host = labels.cpu();
  auto result = at::empty_like(host);
  for (int64_t label = 0; label < classes; ++label) {
    const auto members = host.eq(label).nonzero().squeeze(1);
    const auto order = at::randperm(members.size(0), generator, at::kLong);
    result.index_put_({members.index_select(0, order)}, at::arange(members.size(0)) % folds);
  }
  return result;
}

/// A linear head of the embeddings, whatever the ERM head is, as the shape of what is retrained.
Head linear_like(const LabelledEmbeddings& data, int64_t classes) {
  const auto dtype = data.embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto options = data.embeddings.options().dtype(dtype);
  return {at::zeros({classes, data.embeddings.size(1)}, options), at::zeros({classes}, options)};
}

/// The held-out data in folds, all scaled alike, so that each fit's products are those of the whole
/// less those of the fold it leaves out.
class Folds {
 public:
  Folds(const LabelledEmbeddings& data, int64_t classes, int64_t folds, uint64_t seed)
      : whole_{column_scaling(data.embeddings), {}, data.labels, {}} {
    whole_.inputs = scaled(data.embeddings, whole_.scaling);
    const auto fold_of = folds_of(data.labels, classes, folds, seed);
    for (int64_t fold = 0; fold < folds; ++fold) {
      members_.push_back(fold_of.eq(fold).nonzero().squeeze(1).to(data.labels.device()));
      others_.push_back(fold_of.ne(fold).nonzero().squeeze(1).to(data.labels.device()));
      const auto inputs = rows(whole_.inputs, members_.back());
      grams_.push_back(cross_product(inputs, inputs));
      whole_.gram = fold == 0 ? grams_.back().clone() : whole_.gram + grams_.back();
    }
  }

  const GroupData& whole() const { return whole_; }
  const at::Tensor& members(int64_t fold) const { return members_[fold]; }  ///< their rows
  const at::Tensor& others(int64_t fold) const { return others_[fold]; }
  GroupData without(int64_t fold) const {
    return {whole_.scaling, rows(whole_.inputs, others_[fold]), rows(whole_.labels, others_[fold]),
            whole_.gram - grams_[fold]};
  }

 private:
  GroupData whole_;
  std::vector<at::Tensor> members_, others_, grams_;
};

class Search {
 public:
  Search(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning, const Head& erm,
         const ShortcutSearchOptions& options)
      : held_out_(held_out),
        tuning_(tuning),
        options_(options),
        classes_(erm.classes()),
        predicted_(predictions(erm, held_out.embeddings)),
        mistaken_(predicted_.ne(held_out.labels)) {}

  ShortcutSearch run(uint64_t seed) {
    ShortcutSearch result;
    result.reason = why_undecided();
    if (!result.reason.empty()) return result;
    const Folds folds(held_out_, classes_, options_.folds, seed);
    const auto first = fit_groups(folds.whole(), predicted_, classes_, options_.groups);
    const auto repaired = retrained_predictions(first);
    const auto hard = mistaken_.logical_and(repaired.ne(held_out_.labels));
    const auto evidence = at::where(hard, held_out_.labels, predicted_);
    result.groups = fit_groups(folds.whole(), evidence, classes_, options_.groups);
    result.persistence = overlap(first.beliefs(held_out_), result.groups.beliefs(held_out_));
    result.separation = first.separation();
    result.beliefs = cross_fitted(folds, evidence);
    decide(result);
    return result;
  }

 private:
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
             " mistakes on held-out data, too few to say what is behind them";
    const auto counts = at::bincount(held_out_.labels, {}, classes_);
    const auto fewest = counts.min().item<int64_t>();
    if (fewest < options_.folds)
      return "class " + std::to_string(counts.argmin().item<int64_t>()) + " has " +
             std::to_string(fewest) + " held-out samples, fewer than there are folds";
    return "";
  }

  /// Of a linear head that is retrained on the groups, on a part of the tuning data.
  at::Tensor retrained_predictions(const InferredGroups& groups) const {
    const int64_t samples = tuning_.labels.size(0);
    const int64_t step = (samples + kProbeSamples - 1) / kProbeSamples;
    const LabelledEmbeddings some{tuning_.embeddings.slice(0, 0, samples, step),
                                  tuning_.labels.slice(0, 0, samples, step)};
    const auto weights = rebalancing_weights(some.labels, groups.beliefs(some), classes_);
    const auto like = linear_like(some, classes_);
    const auto mask = at::ones({like.embedding_dim()}, like.weight.options());
    const auto head = RebalancedRetrainer(some, like, options_.retraining).fit(weights, mask);
    return predictions(head, held_out_.embeddings);
  }

  /// Σ min / Σ max of the beliefs in values that are not the class's own; 1 where there are none.
  double overlap(at::Tensor first, at::Tensor second) const {
    const auto own = held_out_.labels.unsqueeze(1);
    first.scatter_(1, own, 0);
    second.scatter_(1, own, 0);
    double common = 0, all = 0;
    on_one_thread(first.device(), [&] {
      common = at::minimum(first, second).sum().item<double>();
      all = at::maximum(first, second).sum().item<double>();
    });
    return all > 0 ? common / all : 1;
  }

  at::Tensor cross_fitted(const Folds& folds, const at::Tensor& evidence) const {
    auto beliefs = at::empty({held_out_.labels.size(0), classes_},
                             held_out_.embeddings.options().dtype(at::kDouble));
    for (int64_t fold = 0; fold < options_.folds; ++fold) {
      const auto groups = fit_groups(folds.without(fold), rows(evidence, folds.others(fold)),
                                     classes_, options_.groups);
      const auto& judged = folds.members(fold);
      beliefs.index_copy_(0, judged, groups.beliefs(rows(held_out_, judged)));
    }
    return beliefs;
  }

  void decide(ShortcutSearch& result) const {
    const bool supported = *result.evidence() >= options_.evidence_threshold;
    result.verdict = supported ? ShortcutVerdict::supported : ShortcutVerdict::unsupported;
    const auto figures =
        "the groups behind the mistakes overlap by " + as_percent(*result.persistence) +
        " with those found without the mistakes that rebalancing cannot repair, "
        "and lie " +
        describe(std::round(*result.separation * 100) / 100) + " standard deviations apart";
    result.reason =
        figures + (supported ? ", as a shortcut's do" : ", as those of merely hard samples do");
  }

  const LabelledEmbeddings& held_out_;
  const LabelledEmbeddings& tuning_;
  const ShortcutSearchOptions& options_;
  int64_t classes_;
  at::Tensor predicted_;  ///< by the ERM head, int64 [N]
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
  if (!persistence || !separation) return std::nullopt;
  return *persistence * *separation;
}

void ShortcutSearchOptions::validate() const {
  groups.validate();
  retraining.validate();
  check_number("evidence_threshold", evidence_threshold, evidence_threshold >= 0, "0 or more");
  check_at_least("folds", folds, 2);
  check_number("samples_per_group", samples_per_group, samples_per_group >= 0, "0 or more");
}

ShortcutSearch search_shortcut(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning,
                               const Head& erm, const ShortcutSearchOptions& options,
                               uint64_t seed) {
  options.validate();
  check_split(held_out, erm, "the held-out split");
  check_split(tuning, erm, "the tuning split");
  const c10::NoGradGuard no_grad;
  const LabelledEmbeddings judged{held_out.embeddings.detach(), held_out.labels};
  const LabelledEmbeddings retrained{tuning.embeddings.detach(), tuning.labels};
  const auto dtype = judged.embeddings.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto head = to(erm, judged.embeddings.device(), dtype);
  try {
    return Search(judged, retrained, head, options).run(seed);
  } catch (const Error& error) {  // data that no groups can be fitted to
    ShortcutSearch undecided;
    undecided.reason = error.what();
    return undecided;
  }
}

}  // namespace neurontune
