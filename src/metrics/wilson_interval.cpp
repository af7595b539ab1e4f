#include "neurontune/metrics/wilson_interval.h"

#include <algorithm>
#include <cmath>

namespace neurontune {

Interval wilson_interval(double correct, double samples, double z) {
  if (samples <= 0) return {};
  const double share = correct / samples, square = z * z;
  const double centre = share + square / (2 * samples);
  const double width = z * std::sqrt((share * (1 - share) + square / (4 * samples)) / samples);
  const double scale = 1 + square / samples;
  // Rounding must leave neither [0, 1] nor the share outside.
  return {std::clamp((centre - width) / scale, 0.0, share),
          std::clamp((centre + width) / scale, share, 1.0)};
}

}  // namespace neurontune
