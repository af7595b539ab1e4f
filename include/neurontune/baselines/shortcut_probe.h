#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/model/head.h"
#include "neurontune/progress.h"

namespace neurontune {

/// Settings of ShortcutProbe.
struct ShortcutProbeOptions {
  int64_t prompts = 2;                  ///< K, directions of shortcuts, at least 1
  double probe_share = 0.3;             ///< r of a class's samples, over 0 up to 1
  double similarity_weight = 5;         ///< η, 0 or more
  double shortcut_weight = 5;           ///< λ, over 0
  int64_t detection_epochs = 50;        ///< at least 1
  int64_t mitigation_epochs = 50;       ///< at least 1
  int64_t batch_size = 32;              ///< samples, at least 1
  double detection_learning_rate = 1e-4;   ///< over 0
  double mitigation_learning_rate = 1e-3;  ///< over 0
  double momentum = 0.9;                ///< of SGD, 0 up to but not 1
  double weight_decay = 1e-4;           ///< L2, at least 0
  uint64_t seed = 0;                    ///< of the prompts and the batches

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What ShortcutProbe found and did.
struct ShortcutProbeResult {
  Head head;
  at::Tensor prompts;          ///< [K, M], the directions found
  int64_t selected_epoch = 0;  ///< of mitigation, from 1
  double held_out_worst_class_accuracy = 0;
};

/// ShortcutProbe (Zheng et al. 2025, arXiv 2505.13910): finds directions of the embedding that
/// predict a linear head's mistakes, and retrains the head to do badly on them. It sees no
/// attributes.
///
/// @param probe    data that finds the shortcuts and retrains the head, on any device
/// @param held_out data that chooses among epochs, on the same device
/// @param erm      the trained head, linear, [C, M], of any floating dtype and device
/// @return tensors on the embeddings' device; in float32, or float64 where the embeddings are
/// @throws Error if the head is of several layers, shapes disagree, a label is out of range, a
///         value is not finite or no sample is misclassified
ShortcutProbeResult shortcut_probe(const LabelledEmbeddings& probe,
                                   const LabelledEmbeddings& held_out, const Head& erm,
                                   const ShortcutProbeOptions& options = {},
                                   const ProgressFn& progress = {});

}  // namespace neurontune
