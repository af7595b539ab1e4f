#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace neurontune {

/// Decodes a BMP of Windows or OS/2 to RGB: 1, 4 and 8 bits by palette, 16, 24 and 32 bits; what
/// else 32 bits hold is dropped.
///
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the image is corrupt, cut short or compressed
at::Tensor decode_bmp(std::string_view bytes);

}  // namespace neurontune
