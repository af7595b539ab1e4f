#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace neurontune {

/// A part of an image: rows top…bottom−1, columns left…right−1.
struct PixelRegion {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
};

/// The part that is needed of an image of some size.
using RegionOf = std::function<PixelRegion(int64_t height, int64_t width)>;

/// Decodes a JPEG of any colour space to RGB. CMYK and YCCK are read as Pillow does: inverted, as
/// Adobe writes them, then (1 − C)(1 − K) and so on.
///
/// @param needed none for the whole; else what lies outside the part may be left undefined, which
///               saves a third of the work where the crop is small
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the image is corrupt or cut short, wherever that is
at::Tensor decode_jpeg(std::string_view bytes, const RegionOf& needed = {});

}  // namespace neurontune
