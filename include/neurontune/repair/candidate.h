#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "neurontune/export.h"
#include "neurontune/metrics/group_accuracy.h"
#include "neurontune/shortcut/inferred_accuracy.h"

namespace neurontune {

/// How a head was made.
enum class Source {
  erm,         ///< as it came
  bias_shift,  ///< its biases moved
  anchored,    ///< retrained near it
  balanced,    ///< retrained with classes balanced
  neurontune,  ///< an epoch of class-balanced retraining behind the mask of biased dimensions
  rebalanced,  ///< retrained with inferred groups balanced
};

/// The data that a head was fitted to.
enum class FittedTo {
  nothing,
  tuning,
  held_out,
  both,  ///< the held-out data and as many samples of tuning
};

/// Which head it is.
struct CandidateSettings {
  Source source = Source::erm;                   ///< how it was made
  FittedTo fitted_to = FittedTo::nothing;        ///< on which data
  std::optional<int64_t> epoch = std::nullopt;   ///< from 1; of neurontune
  std::optional<double> penalty = std::nullopt;  ///< λ; of anchored
  std::optional<double> gamma = std::nullopt;    ///< γ; of anchored
};

/// "retrained with classes balanced on held-out data": what follows "The head is".
NEURONTUNE_EXPORT std::string describe(const CandidateSettings& settings);

/// Why a head may be picked.
enum class Acceptance {
  kept,   ///< the ERM head needs no reason
  free,   ///< it costs no held-out accuracy
  trade,  ///< it costs some, and there is evidence that a shortcut is repaired for it
  known,  ///< the groups it is judged by are known
  refused,
};

/// A head that was judged; all figures are on held-out data that it was not fitted to.
struct Candidate {
  CandidateSettings settings;                   ///< which head it is
  Acceptance acceptance = Acceptance::refused;  ///< why it may be picked
  AccuracyMetrics accuracy;                     ///< over samples and classes
  /// Lower bound (90 % interval) of the accuracy in the worst cell that it is judged by: of the
  /// classes, and of the inferred groups where they are trusted, or of the groups that are known.
  double worst_lower = 0;
  /// (the share of the ERM head's mistakes that it corrects + the share of what is correct that it
  /// leaves so) / 2, classes alike: 1/2 is what changing predictions at random gives.
  double repairability = 0.5;
  std::optional<InferredAccuracy> inferred;  ///< where groups were inferred, trusted or not
  std::optional<double> sfit;                ///< of neurontune on tuning, fitted to all of it
};

NEURONTUNE_EXPORT const char* name(Source source);
NEURONTUNE_EXPORT const char* name(FittedTo data);
NEURONTUNE_EXPORT const char* name(Acceptance acceptance);

}  // namespace neurontune
