#pragma once

#include "neurontune/export.h"

namespace neurontune {

/// Where a share lies with some confidence, in [0, 1].
struct Interval {
  double lower = 0;  ///< bound
  double upper = 1;  ///< bound
};

/// Wilson's score interval of a binomial share, without continuity correction.
///
/// @param correct samples that count, 0 to `samples`
/// @param samples 0 gives [0, 1]
/// @param z       standard deviations of a normal distribution: 1.96 for 95 % confidence
NEURONTUNE_EXPORT Interval wilson_interval(double correct, double samples, double z = 1.96);

}  // namespace neurontune
