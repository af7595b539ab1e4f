#pragma once

#include <cstddef>
#include <random>
#include <utility>
#include <vector>

namespace neurontune::demo {

using Random = std::mt19937_64;

/// A number from 0 to `limit` − 1. Unlike the standard's distributions the same everywhere; its
/// bias is below 2⁻⁵⁰ for the limits here.
inline size_t below(Random& random, size_t limit) { return static_cast<size_t>(random() % limit); }

/// A number from 0 up to, not including, 1: a multiple of 2⁻⁵³.
inline double fraction(Random& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

template <class T>
void shuffle(std::vector<T>& values, Random& random) {
  for (size_t last = values.size(); last > 1; --last) {
    std::swap(values[last - 1], values[below(random, last)]);
  }
}

}  // namespace neurontune::demo
