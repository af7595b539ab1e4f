#pragma once

#include <cstdint>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"

namespace neurontune {

/// Settings of automatic feature reweighting.
struct NEURONTUNE_EXPORT AfrOptions {
  /// How strongly mistakes are upweighted, each 0 or more. At least one.
  std::vector<double> gammas = {4, 6, 8, 10, 12, 14, 16, 18, 20};
  /// λ of the distance from the ERM head, each 0 or more. At least one.
  std::vector<double> penalties = {0, 0.1, 0.2, 0.3, 0.4};
  int64_t steps = 500;          ///< of gradient descent on the whole split, at least 1
  double learning_rate = 1e-2;  ///< over 0
  double gradient_norm = 1;     ///< longer gradients are cut to it; over 0

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What automatic feature reweighting fitted.
struct AfrResult {
  Head head;                                 ///< the selected one
  double gamma = 0;                          ///< the γ chosen
  double penalty = 0;                        ///< the λ chosen
  double held_out_worst_class_accuracy = 0;  ///< by which it was selected
};

/// Automatic feature reweighting (Qiu et al. 2023, "Simple and Fast Group Robustness by Automatic
/// Feature Reweighting", arXiv 2306.11074): retrains a linear head on a split whose samples weigh
/// the more, the less the ERM head believed their class. It sees no attributes.
///
/// Sample i weighs μ_i ∝ exp(−γ p_i) / n_{y_i}, Σ μ_i = 1, with p_i the ERM head's probability of
/// the true class and n_c the samples of class c. Gradient descent on the whole split, from the ERM
/// head θ₀, minimises Σ μ_i CE_i + λ‖θ − θ₀‖²; the bias belongs to θ. γ and λ are those whose head,
/// after the last step, has the best worst-class accuracy on the held-out split; of equals the
/// first, each γ with all λ before the next γ.
///
/// The same inputs, device and LibTorch build give the same bits, whatever the number of threads.
///
/// @param reweighting data that retrains the head, on any device
/// @param held_out    data that chooses γ and λ, on the same device
/// @param erm         the trained head, linear, [C, M], of any floating dtype and device
/// @return the head on the embeddings' device; in float32, or float64 where the embeddings are
/// @throws Error if the head is of several layers, shapes disagree, a label is out of range or a
///         value is not finite
NEURONTUNE_EXPORT AfrResult afr(const LabelledEmbeddings& reweighting,
                                const LabelledEmbeddings& held_out, const Head& erm,
                                const AfrOptions& options = {});

}  // namespace neurontune
