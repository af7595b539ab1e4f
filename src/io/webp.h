#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace neurontune {

/// Decodes a WebP, of an animation the first frame, to RGB; alpha is dropped.
///
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the image is corrupt or cut short
at::Tensor decode_webp(std::string_view bytes);

}  // namespace neurontune
