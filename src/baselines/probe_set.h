#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace neurontune {

/// Rows of a split, class after class, from which samples of wanted classes are picked. All on the
/// CPU.
struct RowsByClass {
  at::Tensor rows;   ///< int64 [n]
  at::Tensor first;  ///< int64 [C], where in `rows` each class begins
  at::Tensor count;  ///< int64 [C], at least 1 each

  /// A row for each wanted class.
  /// @param classes int64, of any shape
  /// @param uniform float64 of the same shape, in [0, 1): which of the class's rows
  /// @return int64 of the same shape
  at::Tensor pick(const at::Tensor& classes, const at::Tensor& uniform) const;
};

/// The samples that ShortcutProbe compares.
struct ProbeSet {
  RowsByClass cor, mis;  ///< D_cor and D_mis
};

/// Chooses D_cor and D_mis: of each class's lower and upper half by cross-entropy the `share` of
/// the class with the lowest entropy; of equals the first row.
///
/// @param logits floating point [N, C], of the ERM head
/// @param labels int64 [N], on the same device
/// @param share  r, over 0 up to 0.5
/// @throws Error if a class has so few samples that `share` of them is none
ProbeSet probe_set(const at::Tensor& logits, const at::Tensor& labels, double share);

}  // namespace neurontune
