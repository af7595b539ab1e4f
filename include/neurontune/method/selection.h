#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace neurontune {

/// Which checkpoint is picked; none looks at attributes.
enum class Criterion {
  sfit,          ///< the paper's: the highest spuriousness fitness score
  guarded_sfit,  ///< the highest of those whose balanced accuracy is within `guard` of the best
  /// The best worst group of (label, inferred attribute), by the lower bound of its accuracy; the
  /// ERM head and heads retrained on rebalanced groups are candidates too, and ERM's is kept where
  /// nothing says that a shortcut is behind its mistakes.
  inferred_groups,
};

/// Settings of the choice among checkpoints.
struct SelectionOptions {
  Criterion criterion = Criterion::inferred_groups;
  double guard = 0.02;  ///< fraction of class-balanced accuracy, 0…1
  /// Class-balanced accuracy on held-out data that a picked head may be below the ERM head,
  /// whatever else speaks for it: 0…1. In force under inferred_groups.
  double max_drop = 0.1;

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What selection knows of a checkpoint, all on the identification split.
struct CheckpointFigures {
  std::optional<double> sfit;  ///< none where no class was usable: by SFit it is no candidate
  double balanced_accuracy = 0;
  /// The lower bound of the worst inferred group's accuracy; none where groups were not inferred.
  std::optional<double> inferred_worst_group = std::nullopt;
};

/// Whether a head's class-balanced accuracy is further below the ERM head's than `max_drop` allows.
bool drops_too_far(double balanced_accuracy, double of_erm, const SelectionOptions& options);

/// The candidates in order of preference, as indices into `checkpoints`; of equals the earlier
/// first. Empty where no checkpoint has the figure that the criterion goes by.
std::vector<std::size_t> ranked_candidates(const std::vector<CheckpointFigures>& checkpoints,
                                           const SelectionOptions& options);

const char* name(Criterion criterion);

}  // namespace neurontune
