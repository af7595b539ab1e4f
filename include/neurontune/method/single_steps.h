#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/method/retraining.h"
#include "neurontune/method/selection.h"
#include "neurontune/numerics/activation.h"

namespace neurontune {

// Steps 2 and 3 of `neuron_tune` for those who put them together themselves; step 1 is `identify`.

/// A head at the end of an epoch of retraining.
struct RetrainedEpoch {
  double loss = 0;  ///< mean over the epoch's batches
  Head head;        ///< the mask folded in
};

/// Retrains a head behind a mask as `neuron_tune` does, of which these are the epochs (the mask is
/// not identified again: `options.refresh` is not looked at).
///
/// @param tuning on any device
/// @param erm    [C, M], of any floating dtype and device
/// @param mask   [M] or, of a linear head, [C, M]; undefined for none
/// @param seed   of the batches and a fresh head
/// @return one an epoch; tensors on the embeddings' device
/// @throws OptionError for an option
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, a class is
///         absent or an epoch becomes infinite
NEURONTUNE_EXPORT std::vector<RetrainedEpoch> retrain(const LabelledEmbeddings& tuning,
                                                      const Head& erm, const at::Tensor& mask,
                                                      const RetrainingOptions& options = {},
                                                      uint64_t seed = 0,
                                                      const ProgressFn& progress = {});

/// What selection knows of heads: their spuriousness fitness scores and class-balanced accuracies.
/// `ranked_candidates` puts them in order.
///
/// @param held_out the data that the mask was identified on, on any device
/// @param heads    [C, M] each, of any floating dtype and device
/// @return one a head
/// @throws Error if shapes disagree, a label is out of range or a value is not finite
NEURONTUNE_EXPORT std::vector<CheckpointFigures> checkpoint_figures(
    const LabelledEmbeddings& held_out, const std::vector<Head>& heads,
    Activation activation = Activation::raw);

}  // namespace neurontune
