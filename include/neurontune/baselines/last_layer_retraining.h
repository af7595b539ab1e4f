#pragma once

#include <cstdint>

#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/method/retraining.h"

namespace neurontune {

/// Class-balanced retraining of the last layer without a mask (LaBonte et al. 2023, "Towards
/// Last-layer Retraining for Group Robustness with Fewer Annotations", arXiv 2309.08534): what
/// NeuronTune's retraining does where nothing is identified. It sees no attributes.
///
/// The same inputs, seed, device and LibTorch build give the same bits, whatever the number of
/// threads.
///
/// @param tuning  held-out or training data, on any device
/// @param erm     the trained head, linear or of several layers, of any floating dtype and device
/// @param options as NeuronTune's; `refresh` is ignored
/// @param seed    of the batches and of a fresh head
/// @return the head after the last epoch, on the embeddings' device; in float32, or float64 where
///         the embeddings are
/// @throws Error if shapes disagree, a label is out of range, a value is not finite or a class is
///         absent
NEURONTUNE_EXPORT Head retrain_last_layer(const LabelledEmbeddings& tuning, const Head& erm,
                                          const RetrainingOptions& options, uint64_t seed,
                                          const ProgressFn& progress = {});

}  // namespace neurontune
