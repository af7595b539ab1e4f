#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/data/image.h"

namespace neurontune {

/// Resizes as Pillow's Image.resize does, to one step of 255; shrinking averages under the filter.
/// The width comes first and the height second; Pillow 13 has it the other way round where that is
/// much faster, and then gives other values where bicubic and Lanczos overshoot black or white.
///
/// @param image uint8 [C, H, W]
/// @return uint8 [C, height, width]
at::Tensor resample(const at::Tensor& image, int64_t height, int64_t width,
                    Interpolation interpolation);

/// How far a filter reaches from its centre, in pixels of the larger of both images.
double filter_support(Interpolation interpolation);

}  // namespace neurontune
