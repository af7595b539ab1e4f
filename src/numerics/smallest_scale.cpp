#include "numerics/smallest_scale.h"

#include <c10/util/Half.h>

#include <cmath>
#include <limits>

namespace neurontune {

double smallest_scale(at::ScalarType dtype) {
  using Float = std::numeric_limits<float>;
  switch (dtype) {
    case at::kDouble:
      return std::sqrt(std::numeric_limits<double>::min());
    case at::kHalf:
      return std::numeric_limits<at::Half>::min();
    default:
      return static_cast<double>(Float::min()) / static_cast<double>(Float::epsilon());
  }
}

}  // namespace neurontune
