#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace neurontune {

/// Decodes a PNG of any kind to RGB: palettes are expanded, 16-bit samples keep their high byte,
/// alpha is dropped.
///
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the image is corrupt or cut short
at::Tensor decode_png(std::string_view bytes);

/// @param image uint8 [H, W, channels], contiguous, with 1 or 3 channels
/// @throws Error (without the file's name) if the image cannot be encoded
std::string encode_png(const at::Tensor& image);

}  // namespace neurontune
