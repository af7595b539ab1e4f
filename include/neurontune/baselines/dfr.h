#pragma once

#include <cstdint>
#include <vector>

#include "neurontune/baselines/grouped_embeddings.h"
#include "neurontune/core/head.h"
#include "neurontune/export.h"

namespace neurontune {

/// Settings of deep feature reweighting; the defaults are its official code's.
struct NEURONTUNE_EXPORT DfrOptions {
  /// C of the L1 penalty, each over 0, in the order in which they are tried; at least one.
  std::vector<double> inverse_penalties = {1, 0.7, 0.3, 0.1, 0.07, 0.03, 0.01};
  int64_t refits = 20;  ///< balanced subsets whose coefficients are averaged, at least 1
  uint64_t seed = 0;    ///< of the subsets and of the solver

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What deep feature reweighting fitted.
struct DfrResult {
  Head head;                                 ///< the mean of those fitted
  double inverse_penalty = 0;                ///< the C chosen
  double held_out_worst_group_accuracy = 0;  ///< of the one fit that C was chosen by
};

/// Deep feature reweighting (Kirichenko et al. 2023, "Last Layer Re-Training is Sufficient for
/// Robustness to Spurious Correlations", arXiv 2204.02937): L1-penalised logistic regression on
/// group-balanced subsets. An oracle: it sees the groups.
///
/// Features are standardised by the tuning split's mean and population standard deviation (a
/// constant column is divided by 1). On one random subset, with as many samples of each group
/// present as the smallest has, a regression is fitted for each C; the C of best worst-group
/// accuracy on the held-out split is kept, of equals the first. With it `refits` new subsets are
/// fitted and their coefficients averaged; the standardisation is folded into the head.
///
/// A regression minimises Σ log(1 + exp(−y (w·z + b))) · C + ‖w‖₁ + |b| by liblinear, as the
/// official code does through scikit-learn; the intercept is the weight of a feature 1, and so is
/// penalised too. Two classes take one regression, and the head is [0; w] (not marked
/// `single_logit`); more take one for each class against the rest.
///
/// The same inputs and seed give the same bits.
///
/// @param tuning           data that fits the head, on any device
/// @param held_out         data that chooses C, on the same device
/// @param classes          C, at least 2
/// @param attribute_values A, at least 1, over both splits
/// @return the head on the embeddings' device; in float32, or float64 where the embeddings are
/// @throws Error if shapes disagree, a label or attribute is out of range, a value is not finite or
///         a class is absent from the tuning split
NEURONTUNE_EXPORT DfrResult dfr(const GroupedEmbeddings& tuning, const GroupedEmbeddings& held_out,
                                int64_t classes, int64_t attribute_values,
                                const DfrOptions& options = {});

/// The same with other data for the refits, which are standardised by its own mean and deviation.
/// The paper's main variant fits on a half of val, chooses C on the other, and refits on all of it.
///
/// @param refitting data of the averaged fits, on the same device
NEURONTUNE_EXPORT DfrResult dfr(const GroupedEmbeddings& tuning, const GroupedEmbeddings& held_out,
                                const GroupedEmbeddings& refitting, int64_t classes,
                                int64_t attribute_values, const DfrOptions& options = {});

}  // namespace neurontune
