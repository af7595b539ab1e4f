#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/export.h"

namespace neurontune {

/// What the prior of a group's accuracy is worth: with fewer samples than this of its own, a group
/// is judged more by the others of its class.
inline constexpr double kPriorSamples = 10;
/// Of the standard normal distribution at 0.95: the bounds of 90 % intervals.
inline constexpr double kQuantile = 1.6448536269514722;

/// A head's accuracy in the groups (label, inferred attribute), and how sure it is.
struct NEURONTUNE_EXPORT InferredAccuracy {
  at::Tensor samples;           ///< float64 [C, A]: the beliefs' sum
  at::Tensor accuracy;          ///< float64 [C, A], shrunk towards that of the class's groups
  at::Tensor lower;             ///< float64 [C, A], of the 90 % interval
  at::Tensor upper;             ///< float64 [C, A]
  int64_t worst_label = 0;      ///< of the group of the lowest lower bound
  int64_t worst_attribute = 0;  ///< of that group

  double worst_accuracy() const;  ///< that group's
  double worst_lower() const;     ///< the lower confidence bound that candidates are ranked by
  double worst_upper() const;     ///< the upper bound of the same group
};

/// Judges predictions by inferred groups. Each group's accuracy is shrunk towards the mean of its
/// class's groups by a Beta prior worth `kPriorSamples` samples (in the mean a group of n counts n
/// / (n + 10)), and its interval is Wilson's (1927) with those added, at 90 %: a group of few
/// samples is shrunk towards the other groups of its class rather than left out. Not towards the
/// accuracy of the whole class, which is its largest group's: a head that fails all rare groups
/// would seem good in each.
///
/// The beliefs should come from a model that was fitted on other samples.
///
/// @param predictions int64 [N], in 0…C−1
/// @param labels      int64 [N], in 0…C−1
/// @param beliefs     floating [N, A], the rows sum to 1
/// @return on the CPU; a class without samples has accuracy and bounds of 1, 0 and 1 and is never
///         the worst
/// @throws Error if shapes disagree or a label is out of range
NEURONTUNE_EXPORT InferredAccuracy inferred_accuracy(const at::Tensor& predictions,
                                                     const at::Tensor& labels,
                                                     const at::Tensor& beliefs, int64_t classes);

}  // namespace neurontune
