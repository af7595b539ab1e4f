#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/method/identification.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/retraining.h"
#include "neurontune/method/selection.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

/// The settings of all steps.
struct NEURONTUNE_EXPORT NeuronTuneOptions {
  IdentificationOptions identify;  ///< of the biased dimensions
  RetrainingOptions tune;          ///< of the head
  SelectionOptions select;         ///< of an epoch
  uint64_t seed = 0;               ///< of the batches and a fresh head

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// A head that can be picked; the figures are on the identification split.
struct Checkpoint {
  int64_t epoch = 0;           ///< from 1; 0 is the ERM head
  std::optional<double> loss;  ///< mean over the epoch's batches; none of the ERM head
  std::optional<double> sfit;  ///< none where no class has correct and misclassified samples
  AccuracyMetrics accuracy;    ///< of the head
  Head head;                   ///< the mask folded in
  BiasedDimensions biased;     ///< the mask it was trained behind
};

/// What NeuronTune found and did.
struct NeuronTuneResult {
  Head head;                        ///< the selected head, the mask folded in
  SpuriousnessScores scores;        ///< of the selected head's identification
  std::optional<MistakeTest> test;  ///< of the first identification, where significance was asked
  BiasedDimensions biased;          ///< of the selected head
  int64_t selected_epoch = 0;    ///< 0 is the ERM head, where no epoch has the criterion's figure
  std::string reason;            ///< why it was selected, a sentence; `conclusion` says more
  std::optional<double> sfit;    ///< of the selected head
  AccuracyMetrics erm_accuracy;  ///< of the ERM head, on the identification split
  std::vector<Checkpoint> trajectory;  ///< one an epoch
  std::vector<Checkpoint> candidates;  ///< the best first; the selected head is the first
  std::vector<std::string> warnings;   ///< what a user should know, one sentence each
};

/// NeuronTune as its paper has it (arXiv 2505.24048): identifies the embedding's biased dimensions
/// on one split, retrains the head behind a mask on another, and picks an epoch by its spuriousness
/// fitness score. It sees no attributes. Tensors only: no files, no printing. `repair` holds its
/// epochs against other ways.
///
/// Retraining that becomes infinite ends there, with a warning; the epochs before count.
///
/// The same inputs, seed, device and LibTorch build give the same bits, whatever the number of
/// threads and wherever the inputs lie in memory.
///
/// @param identification held-out data that finds the biased dimensions, on any device
/// @param tuning         data that retrains the head, on the same device
/// @param erm            the trained head, [C, M], of any floating dtype and device
/// @return tensors on the embeddings' device; the head in float32, or float64 where the embeddings
///         are
/// @throws OptionError if the criterion is another than sfit and guarded_sfit
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, a class is
///         absent from the tuning split, no class is usable at identification or the first epoch
///         becomes infinite
NEURONTUNE_EXPORT NeuronTuneResult neuron_tune(const LabelledEmbeddings& identification,
                                               const LabelledEmbeddings& tuning, const Head& erm,
                                               const NeuronTuneOptions& options = {},
                                               const ProgressFn& progress = {});

}  // namespace neurontune
