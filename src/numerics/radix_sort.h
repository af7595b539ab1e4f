#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/float_bits.h"

namespace neurontune {

/// An unsigned integer that a sample is sorted by, and where the sample came from.
template <typename Key>
struct Keyed {
  Key key;
  int32_t place;
};

/// The bits of a floating-point number as an unsigned integer of the same order; −0 is before 0.
template <typename Scalar>
auto ordered_bits(Scalar value) {
  using Bits = FloatBits<Scalar>;
  constexpr auto kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  const Bits bits = bits_of(value);
  return static_cast<Bits>(bits & kSign ? ~bits : bits | kSign);
}

/// Sorts items by key, kBits at a time from the lowest; equal keys stay in the order they came in.
template <int kBits, typename Key>
void sort_by_digits(std::vector<Keyed<Key>>& items, std::vector<Keyed<Key>>& scratch) {
  constexpr int kDigits = (std::numeric_limits<Key>::digits + kBits - 1) / kBits;
  const auto digit = [](Key key, int index) {
    return (key >> (kBits * index)) & ((1 << kBits) - 1);
  };
  std::array<std::array<uint32_t, 1 << kBits>, kDigits> counts{};
  for (const auto& item : items)
    for (int index = 0; index < kDigits; ++index) ++counts[index][digit(item.key, index)];

  scratch.resize(items.size());
  for (int index = 0; index < kDigits; ++index) {
    auto& starts = counts[index];
    if (starts[digit(items[0].key, index)] == items.size()) continue;  // all have the same digit
    uint32_t start = 0;
    for (auto& count : starts) start += std::exchange(count, start);
    for (const auto& item : items) scratch[starts[digit(item.key, index)]++] = item;
    items.swap(scratch);
  }
}

/// Sorts items, which come in rising place, by key; equal keys stay in rising place. By comparison,
/// by small or by large digits: whichever is fastest for so many. @param scratch of any size
template <typename Key>
void sort_by_key(std::vector<Keyed<Key>>& items, std::vector<Keyed<Key>>& scratch) {
  constexpr std::size_t kFew = 100, kMany = 3000;
  if (items.size() >= kMany)
    sort_by_digits<11>(items, scratch);
  else if (items.size() >= kFew)
    sort_by_digits<8>(items, scratch);
  else
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
      return a.key < b.key || (a.key == b.key && a.place < b.place);
    });
}

}  // namespace neurontune
