#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/shortcut/inferred_groups.h"
#include "neurontune/shortcut/rebalanced_retraining.h"

namespace neurontune {

/// Added to the samples of each class that have another value, as samples without an effect: a few
/// samples lie apart by chance. Fixed: it was chosen with the threshold, which it goes with.
inline constexpr double kShrinkingSamples = 3;
/// The power of the number of classes by which mere mistakes lie further apart; fixed likewise.
inline constexpr double kEvidencePerClass = 0.4;
/// Tuning samples, evenly spaced, that heads are retrained on for the reliance; more would make the
/// search of large data as slow as the retraining.
inline constexpr int64_t kProbeSamples = 8192;

/// Settings of the search for a shortcut that no one labelled.
struct NEURONTUNE_EXPORT ShortcutSearchOptions {
  InferredGroupsOptions groups;   ///< of the groups that are inferred
  RebalancingOptions retraining;  ///< of the heads that are retrained with them balanced
  double evidence_threshold = 4;  ///< a shortcut is behind the mistakes from here on; 0 or more
  /// Principal components of what classes do not explain in which groups are inferred, at most:
  /// what lies apart does so whatever else the embedding holds; at least 1.
  int64_t components = 64;
  int64_t folds = 2;  ///< groups are judged on others than they were fitted on; 2 to 100
  double samples_per_group = 10;  ///< undecided under this many on average; 0 or more

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What the held-out data say of the ERM head's mistakes.
enum class ShortcutVerdict {
  supported,    ///< an attribute is behind them, as far as it can be told without labels of it
  unsupported,  ///< they look like hard samples
  undecided,    ///< too few samples or mistakes to tell
};

NEURONTUNE_EXPORT const char* name(ShortcutVerdict verdict);

/// The attribute that the ERM head takes for the class, if there is one.
struct NEURONTUNE_EXPORT ShortcutSearch {
  ShortcutVerdict verdict = ShortcutVerdict::undecided;  ///< of the search
  std::string reason;                                    ///< of the verdict, a sentence
  /// Held-out samples whose label looks wrong; none where the search ended before.
  std::optional<int64_t> suspected_labels;
  /// How far an attribute's value is from the class's own where they differ, in standard
  /// deviations, on average: Mahalanobis distances times √(n / (n + 3)), n the samples a class that
  /// have another value, since few lie apart by chance. None where undecided.
  std::optional<double> separation;
  /// By what factor the errors of a retrained head on held-out data grow where the attribute may
  /// not move its logits. None where undecided.
  std::optional<double> reliance;
  InferredGroups groups;  ///< of the trusted held-out data; empty where undecided
  at::Tensor trusted;     ///< int64 [n]: the rows of held-out samples whose label is not suspected
  /// p(a | z, y) of each trusted sample, by a model fitted on the other folds: float64 [n, C].
  at::Tensor beliefs;
  at::Tensor fold_of;  ///< int64 [N]: the fold of each held-out sample; undefined where undecided
  std::vector<InferredGroups> of_other_folds;  ///< of each fold: fitted on the others
  std::vector<std::string> warnings;  ///< of the retraining that it takes, one sentence each

  /// separation × ∛reliance / C^0.4: mere mistakes lie further apart where there are more classes.
  std::optional<double> evidence() const;
  /// Whether groups were inferred, trusted or not.
  bool found_groups() const { return beliefs.defined(); }
};

/// Infers the groups behind the ERM head's mistakes, and whether they are groups at all.
///
/// The mistakes of a head that leans on a shortcut are samples whose attribute is another class's;
/// those of a head that does not are hard. Groups are inferred from the predictions either way, and
/// two things tell which they are. The values of a real attribute form separate clusters, while
/// hard samples are the tail of one cluster, so the values lie further apart: the separation. It is
/// taken in the first principal components of what classes do not explain, since with as many
/// dimensions as samples anything can be told apart. A head that leans on it errs more without it,
/// on data where it agrees with the class: two heads are retrained with classes balanced, of which
/// one may not follow what the attribute does to embeddings, and the factor between their errors is
/// the reliance.
///
/// Wrong labels look like a small group that no head can repair. So samples are left out first of
/// which the ERM head and a head retrained on rebalanced groups both confidently predict another
/// class than their label (confident learning, Northcutt, Jiang & Chuang 2021): neither groups nor
/// accuracies are taken from them. One of the two is not enough: a head that has memorised its
/// training set is as confident of its mistakes as of anything.
///
/// It sees no attributes. The same inputs, seed, device and LibTorch build give the same bits,
/// whatever the number of threads.
///
/// @param held_out data the head was not trained on, on any device
/// @param tuning   data that retrains, on the same device
/// @param erm      the trained head, of one or several layers
/// @param seed     of the folds
/// @throws Error if shapes disagree, a label is out of range or a value is not finite
NEURONTUNE_EXPORT ShortcutSearch search_shortcut(const LabelledEmbeddings& held_out,
                                                 const LabelledEmbeddings& tuning, const Head& erm,
                                                 const ShortcutSearchOptions& options = {},
                                                 uint64_t seed = 0);

}  // namespace neurontune
