#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/method/identification.h"
#include "neurontune/method/inferred_accuracy.h"
#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/method/retraining.h"
#include "neurontune/method/selection.h"
#include "neurontune/method/shortcut_search.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/metrics/group_accuracy.h"
#include "neurontune/model/head.h"
#include "neurontune/progress.h"

namespace neurontune {

/// The settings of all steps.
struct NeuronTuneOptions {
  IdentificationOptions identify;
  RetrainingOptions tune;
  SelectionOptions select;
  ShortcutSearchOptions shortcut;  ///< used where the criterion is inferred_groups
  uint64_t seed = 0;               ///< of the batches, a fresh head and the folds

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// Where a head comes from.
enum class Source {
  erm,         ///< as it came
  neurontune,  ///< an epoch of class-balanced retraining behind the mask
  rebalanced,  ///< retrained on rebalanced inferred groups, without a mask
};

const char* name(Source source);

/// A head that can be picked; the figures are on the identification split.
struct Checkpoint {
  Source source = Source::neurontune;
  std::optional<int64_t> epoch;  ///< from 1; 0 is the ERM head; none of a rebalanced head
  std::optional<double> loss;    ///< mean over the epoch's batches; none of other heads
  std::optional<double> sfit;    ///< none where no class has correct and misclassified samples
  AccuracyMetrics accuracy;
  Head head;                                 ///< the mask folded in
  BiasedDimensions biased;                   ///< the mask it was trained behind
  std::optional<InferredAccuracy> inferred;  ///< where groups were inferred
};

/// What NeuronTune found and did.
struct NeuronTuneResult {
  Head head;                        ///< the selected head, the mask folded in
  Source source = Source::erm;      ///< of the selected head
  SpuriousnessScores scores;        ///< of the selected head's identification
  std::optional<MistakeTest> test;  ///< of the first identification, where significance was asked
  BiasedDimensions biased;  ///< of the selected head; nothing is flagged where it has no mask
  std::optional<int64_t> selected_epoch;   ///< as in Checkpoint
  std::optional<double> sfit;              ///< of the selected head
  AccuracyMetrics erm_accuracy;            ///< of the ERM head, on the identification split
  std::vector<Checkpoint> trajectory;      ///< one an epoch; none where nothing could be identified
  std::vector<Checkpoint> candidates;      ///< the best first; the selected head is the first
  int64_t refused = 0;                     ///< heads that are no candidates for `max_drop`
  std::optional<ShortcutSearch> shortcut;  ///< where the criterion is inferred_groups
  std::optional<InferredAccuracy> erm_inferred;  ///< where groups were inferred
  std::vector<std::string> warnings;             ///< what a user should know, one sentence each
};

/// Repairs a head without group labels (NeuronTune, arXiv 2505.24048): identifies the embedding's
/// biased dimensions on one split, retrains the head behind a mask on another, and picks a
/// checkpoint by the criterion. Tensors only: no files, no printing.
///
/// Under Criterion::inferred_groups the ERM head and a head retrained on rebalanced inferred groups
/// are candidates too (the latter where the head is linear), and the ERM head is kept unless the
/// held-out data say that a shortcut is behind its mistakes. A head whose class-balanced accuracy
/// on them is further below the ERM head's than `max_drop` is refused whatever they say. Where no
/// class has both mistakes and correct samples nothing is identified, retrained or inferred: the
/// ERM head is the only candidate.
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
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, a class is
///         absent from the tuning split, or, but under inferred_groups, no class is usable at
///         identification or the first epoch becomes infinite
NeuronTuneResult neuron_tune(const LabelledEmbeddings& identification,
                             const LabelledEmbeddings& tuning, const Head& erm,
                             const NeuronTuneOptions& options = {},
                             const ProgressFn& progress = {});

}  // namespace neurontune
