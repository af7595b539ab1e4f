#pragma once

#include <cstdint>
#include <string>

#include "neurontune/base/error.h"

namespace neurontune {

/// Refuses images whose header claims more pixels than any data set's have, before memory for them
/// is taken.
inline void check_image_size(int64_t height, int64_t width) {
  constexpr int64_t kMostPixels = int64_t{1} << 28;
  if (height * width > kMostPixels) {
    throw Error("has " + std::to_string(width) + " x " + std::to_string(height) +
                " pixels, at most " + std::to_string(kMostPixels) + " are read");
  }
}

}  // namespace neurontune
