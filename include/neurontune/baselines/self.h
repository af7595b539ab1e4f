#pragma once

#include <cstdint>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"

namespace neurontune {

/// Settings of SELF.
struct NEURONTUNE_EXPORT SelfOptions {
  std::vector<double> learning_rates = {1e-4, 1e-3, 1e-2};  ///< of SGD, each over 0; at least one
  int64_t steps = 250;                                      ///< batches, at least 1
  int64_t batch_size = 32;                                  ///< samples, at least 1
  double momentum = 0.9;                                    ///< 0 up to but not 1
  double weight_decay = 1e-4;                               ///< L2, at least 0
  uint64_t seed = 0;  ///< of the correct samples and the batches

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What SELF fitted.
struct SelfResult {
  Head head;                                 ///< the selected one
  double learning_rate = 0;                  ///< the one chosen
  int64_t samples = 0;                       ///< in the set that retrained the head
  double held_out_worst_class_accuracy = 0;  ///< by which it was selected
};

/// SELF by misclassification (LaBonte et al. 2023, "Towards Last-layer Retraining for Group
/// Robustness with Fewer Annotations", arXiv 2309.08534): class-balanced retraining of the last
/// layer, from the ERM head, on its mistakes and as many correct samples. It sees no attributes.
/// (The official code instead takes the k samples of highest cross-entropy, and chooses k, too, by
/// held-out accuracy.)
///
/// The set has every misclassified sample and, drawn at random without replacement, as many correct
/// samples of each class as the class has mistakes, or all where it has fewer. Class-balanced
/// batches need every class: one without a mistake gives as many correct samples as the classes
/// with mistakes have on average, rounded, at least 1. The learning rate is the one whose head has
/// the best worst-class accuracy on the held-out split; of equals the first.
///
/// The same inputs, seed, device and LibTorch build give the same bits, whatever the number of
/// threads.
///
/// @param fine_tuning data that retrains the head, on any device
/// @param held_out    data that chooses the learning rate, on the same device
/// @param erm         the trained head, linear or of several layers, of any floating dtype
/// @return the head on the embeddings' device; in float32, or float64 where the embeddings are
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, a class is
///         absent or nothing is misclassified
NEURONTUNE_EXPORT SelfResult self(const LabelledEmbeddings& fine_tuning,
                                  const LabelledEmbeddings& held_out, const Head& erm,
                                  const SelfOptions& options = {});

}  // namespace neurontune
