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
#include "neurontune/method/neuron_tune.h"
#include "neurontune/repair/anchored_retraining.h"
#include "neurontune/repair/candidate.h"
#include "neurontune/shortcut/shortcut_search.h"

namespace neurontune {

/// Settings of the default recipe. `neurontune.select` names the criterion, inferred_groups or
/// worst_group, and `max_drop`.
struct NEURONTUNE_EXPORT RepairOptions {
  RepairOptions();
  /// The defaults of all but the method's settings.
  explicit RepairOptions(const NeuronTuneOptions& own) : neurontune(own) {}

  NeuronTuneOptions neurontune;    ///< of the mask and the epochs; its seed serves every step
  ShortcutSearchOptions shortcut;  ///< its folds are those that candidates are judged on
  AnchoredOptions anchored;        ///< of the heads retrained near the ERM head

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What was done, and on what grounds.
struct RepairResult {
  Head head;                                 ///< the selected head
  CandidateSettings settings;                ///< which one it is
  Acceptance acceptance = Acceptance::kept;  ///< what let it be selected
  std::string reason;                 ///< why it was selected, in sentences; `conclusion` says more
  std::vector<Candidate> candidates;  ///< accepted, the best first; the selected head is the first
  int64_t refused = 0;                ///< heads that cost too much
  Candidate erm;                      ///< the ERM head as it was judged
  ShortcutSearch shortcut;            ///< whether there is evidence of a shortcut
  /// The paper's method on the whole of both splits; without epochs and candidates where the
  /// held-out data identify nothing.
  NeuronTuneResult neurontune;
  std::vector<std::string> warnings;  ///< what a user should know, one sentence each
};

/// Repairs a head without group labels, whatever held-out data there are.
///
/// Candidates are the ERM head; its biases shifted; heads retrained near it; heads retrained with
/// classes balanced, the epochs of NeuronTune, and heads retrained with inferred groups balanced,
/// each of them fitted to tuning, to held-out data and to both. All are judged on held-out data
/// that they were not fitted to: what is fitted to it is fitted fold by fold, and the one that is
/// picked once more to all of it. (NeuronTune† of the paper is close to one of them.)
///
/// A candidate is *free* if neither its class-balanced nor its worst-class accuracy is below the
/// ERM head's. Any other is a *trade*, which is only made with evidence of a shortcut
/// (`search_shortcut`), if it corrects enough of the mistakes for what it breaks
/// (`Candidate::repairability` of 2/3), and for at most `max_drop` of class-balanced accuracy.
/// Candidates are ranked by the lower confidence bound of their accuracy in the worst cell. A cell
/// is a class, or an inferred group where there is evidence of a shortcut. Of the candidates within
/// one standard error of the first (Breiman et al. 1984), the one with the best class-balanced
/// accuracy is selected.
///
/// With Criterion::worst_group the cells are the groups (label, attribute) of held-out samples
/// whose attribute is known, and no head is refused.
///
/// The same inputs, seed, device and LibTorch build give the same bits, whatever the number of
/// threads and wherever the inputs lie in memory.
///
/// @param held_out   data that the head was not trained on, on any device
/// @param tuning     data that it was trained on, on the same device
/// @param erm        the trained head, [C, M], of any floating dtype and device
/// @param attributes of held-out samples, int64 [N], −1 where not known; for worst_group only
/// @return tensors on the embeddings' device; the head in float32, or float64 where the embeddings
///         are
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, a class is
///         absent from the tuning split, or worst_group is asked for and no attribute is known
NEURONTUNE_EXPORT RepairResult repair(const LabelledEmbeddings& held_out,
                                      const LabelledEmbeddings& tuning, const Head& erm,
                                      const RepairOptions& options = {},
                                      const ProgressFn& progress = {},
                                      const at::Tensor& attributes = {});

}  // namespace neurontune
