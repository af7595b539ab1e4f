#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// By what a checkpoint is selected; only worst_group looks at attributes.
enum class Criterion {
  sfit,             ///< the paper's: the highest spuriousness fitness score
  guarded_sfit,     ///< the highest of those whose balanced accuracy is within `guard` of the best
  inferred_groups,  ///< of `repair`: accuracy in the worst class or trusted inferred group
  worst_group,      ///< of `repair`: accuracy in the worst group (label, attribute), where known
};

/// Settings of the choice among checkpoints.
struct NEURONTUNE_EXPORT SelectionOptions {
  Criterion criterion = Criterion::sfit;  ///< by what is selected
  double guard = 0.02;                    ///< fraction of class-balanced accuracy, 0…1
  /// The largest drop of class-balanced accuracy on held-out data that a repair may cause, 0…1;
  /// applies with inferred_groups only.
  double max_drop = 0.1;

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What selection knows of a checkpoint, all on the identification split.
struct CheckpointFigures {
  std::optional<double> sfit;    ///< none where no class was usable: by SFit it is no candidate
  double balanced_accuracy = 0;  ///< mean over the classes
};

/// Whether `repair` picks by the criterion, and not the paper's method.
NEURONTUNE_EXPORT bool is_of_repair(Criterion criterion);

/// The candidates in order of preference, as indices into `checkpoints`; of equals the earlier
/// first. Empty where no checkpoint has the figure that the criterion goes by.
NEURONTUNE_EXPORT std::vector<std::size_t> ranked_candidates(
    const std::vector<CheckpointFigures>& checkpoints, const SelectionOptions& options);

NEURONTUNE_EXPORT const char* name(Criterion criterion);

}  // namespace neurontune
