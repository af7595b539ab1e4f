#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace neurontune {

/// Decodes a JPEG of any colour space to RGB. CMYK and YCCK are read as Pillow does: inverted, as
/// Adobe writes them, then (1 − C)(1 − K) and so on.
///
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the image is corrupt or cut short
at::Tensor decode_jpeg(std::string_view bytes);

}  // namespace neurontune
