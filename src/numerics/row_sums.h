#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace neurontune {

/// A sum over rows that has the same bits whatever the number of threads: in at most 64 parts, each
/// on one thread and a few rows at a time, and the parts in order.
///
/// @param rows_in_cache rows that stay in a core's cache while they are worked on; more are taken
///                      at once on other devices
/// @param zero          what a part starts from, of the sum's shape, dtype and device
/// @param add           adds rows `first` to `last` − 1 to `part`
at::Tensor sum_over_rows(
    int64_t rows, int64_t rows_in_cache, const at::Tensor& zero,
    const std::function<void(int64_t first, int64_t last, const at::Tensor& part)>& add);

}  // namespace neurontune
