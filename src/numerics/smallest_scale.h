#pragma once

#include <c10/core/ScalarType.h>

namespace neurontune {

/// What numbers of a dtype have to be over to vary: a column whose deviation, or largest size, is
/// under it counts as constant wherever columns are scaled or ranked. It is rounding, or was meant
/// to be 0, and what it would have to be multiplied by is beyond float32.
///
/// The smallest normal number of float16; of float32, and bfloat16, which has its range, that
/// number over the distance from 1 to the next, about 1e-31, so that the inverse leaves room for
/// weights; of float64 the root of its smallest normal number, since deviations are squared.
double smallest_scale(at::ScalarType dtype);

}  // namespace neurontune
