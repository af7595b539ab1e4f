#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"

namespace neurontune {

/// Settings of ShortcutProbe; the defaults are its official code's for Waterbirds.
struct NEURONTUNE_EXPORT ShortcutProbeOptions {
  int64_t prompts = 2;             ///< K, directions of shortcuts, 1 to M
  double probe_share = 0.3;        ///< r, of a class's samples on either side; over 0, up to 0.5
  double similarity_weight = 5;    ///< η, 0 or more
  double shortcut_weight = 5;      ///< λ, over 0
  int64_t detection_epochs = 50;   ///< at least 1
  int64_t mitigation_epochs = 50;  ///< at least 1
  int64_t batch_size = 32;         ///< samples (detection), pairs (mitigation); at least 2
  double detection_learning_rate = 1e-4;   ///< of SGD, over 0
  double mitigation_learning_rate = 1e-3;  ///< of SGD, over 0
  double momentum = 0.9;                   ///< of both, 0 up to but not 1
  double weight_decay = 1e-4;              ///< of both, L2, at least 0
  uint64_t seed = 0;                       ///< of the prompts and the batches

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What ShortcutProbe found and did.
struct ShortcutProbeResult {
  Head head;                                 ///< the selected one
  at::Tensor prompts;                        ///< float [K, M], the directions found
  int64_t selected_epoch = 0;                ///< of mitigation, from 1
  double held_out_worst_class_accuracy = 0;  ///< by which it was selected
};

/// ShortcutProbe (Zheng et al. 2025, "ShortcutProbe: Probing Prediction Shortcuts for Learning
/// Robust Models", arXiv 2505.13910): finds directions of the embedding that predict what a linear
/// head takes samples for, and retrains the head to gain nothing by them. It sees no attributes.
///
/// Where paper and official code differ this follows the code:
/// - D_cor and D_mis are chosen class by class: of the half of its samples with the lowest
///   cross-entropy, and of that with the highest, those r of the class of which the head is surest
///   (the lowest entropy). D_mis may hold correct samples, where mistakes are few.
/// - The prompts V, [K, M], start normal with the embeddings' variance in each dimension. The
///   shortcut part of an embedding is z Vᵀ (V Vᵀ + 1 1ᵀ)⁻¹ V: the 1 is added to every element.
/// - Detection takes batches of ⌊B/2⌋ pairs: a sample of D_mis, of a class drawn evenly, with one
///   of D_cor of the class that it is taken for. It minimises the mean cross-entropy of the ERM
///   head on their shortcut parts against the ERM head's predictions, plus η times their mean norm.
///   Of the epochs' prompts those are kept whose shortcut parts have the best accuracy on the
///   held-out split; of equals the first.
/// - Mitigation starts from the ERM head and takes batches of B pairs: a sample of D_mis with one
///   of D_cor of the same class. It minimises λ · loss / (shortcut loss + 1e-10), the mean
///   cross-entropy of the embeddings against their labels over that of their shortcut parts, D_mis
///   against what the ERM head takes it for.
///
/// An epoch has ⌊(|D_mis| + |D_cor|) / B⌋ + 1 batches, drawn with replacement; the optimiser is
/// SGD. The mitigated head is that of the epoch with the best worst-class accuracy on the held-out
/// split, of equals the first.
///
/// The same inputs, seed, device and LibTorch build give the same bits, whatever the number of
/// threads.
///
/// @param probe    data that finds the shortcuts and retrains the head, on any device
/// @param held_out data that chooses among epochs, on the same device
/// @param erm      the trained head, linear, [C, M], of any floating dtype and device
/// @param progress is told of the stages "detect" and "tune"
/// @return tensors on the embeddings' device; in float32, or float64 where the embeddings are
/// @throws Error if the head is of several layers, shapes disagree, a label is out of range, a
///         value is not finite, a class has so few samples that r of them is none, or the
///         embeddings vary in too few dimensions for K prompts
NEURONTUNE_EXPORT ShortcutProbeResult shortcut_probe(const LabelledEmbeddings& probe,
                                                     const LabelledEmbeddings& held_out,
                                                     const Head& erm,
                                                     const ShortcutProbeOptions& options = {},
                                                     const ProgressFn& progress = {});

}  // namespace neurontune
