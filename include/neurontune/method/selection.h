#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace neurontune {

/// Which checkpoint is picked; none looks at attributes.
enum class Criterion {
  sfit,          ///< the paper's: the highest spuriousness fitness score
  guarded_sfit,  ///< the highest of those whose balanced accuracy is within `guard` of the best
};

/// Settings of the choice among checkpoints.
struct SelectionOptions {
  Criterion criterion = Criterion::guarded_sfit;
  double guard = 0.02;  ///< fraction of class-balanced accuracy, 0…1

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What selection knows of a checkpoint, all on the identification split.
struct CheckpointFigures {
  int64_t epoch = 0;           ///< from 1
  std::optional<double> sfit;  ///< none where no class was usable: such an epoch is no candidate
  double balanced_accuracy = 0;
};

/// The candidates in order of preference, as indices into `checkpoints`; of equals the earlier
/// first. Empty where no checkpoint has an SFit.
std::vector<std::size_t> ranked_candidates(const std::vector<CheckpointFigures>& checkpoints,
                                           const SelectionOptions& options);

const char* name(Criterion criterion);

}  // namespace neurontune
