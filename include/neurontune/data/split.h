#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "neurontune/export.h"

namespace neurontune {

/// A split, or a class-stratified part of one: "val" or "val:1/2".
struct NEURONTUNE_EXPORT SplitSelector {
  std::string name;   ///< train, val or test
  int64_t part = 1;   ///< from 1 to `parts`
  int64_t parts = 1;  ///< into which it is divided

  /// Whether the other one is of the same split, and has rows of it that this one has.
  bool overlaps(const SplitSelector& other) const;

  /// @throws OptionError if the text is not NAME or NAME:PART/PARTS with 1 ≤ PART ≤ PARTS
  static SplitSelector parse(const std::string& text);
};

/// The tensor files beside the splits of a folder, by name: no split can be called so.
inline constexpr std::array<std::string_view, 2> kFilesBesideSplits = {"head", "spuriousness"};

/// A split's name becomes a file's: NAME.safetensors.
/// @throws Error if it is empty or too long, begins with a dot, holds a slash, a colon or a control
///         character, or is that of a file beside the splits: head, spuriousness
NEURONTUNE_EXPORT void check_split_name(const std::string& name);

/// The rows of a part: of each class, in order of appearance, every `parts`-th from the `part`-th.
/// Parts are disjoint, cover the split, and hold equally many of a class to within one.
///
/// @param labels int64 [N]
/// @return int64 [n] on the CPU, ascending
NEURONTUNE_EXPORT at::Tensor part_rows(const at::Tensor& labels, const SplitSelector& selector);

}  // namespace neurontune
