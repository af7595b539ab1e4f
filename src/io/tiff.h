#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace neurontune {

/// Decodes the first page of a TIFF of any kind that libtiff shows as RGB: 1 to 16 bits, grey,
/// palette, RGB, CMYK or YCbCr, any compression. As Pillow has it alpha is dropped and, other than
/// for the EXIF rotation of a JPEG, the orientation is applied. 16-bit samples become 8 bits.
///
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the image is corrupt, cut short, or of a kind that is
///         not shown as RGB
at::Tensor decode_tiff(std::string_view bytes);

}  // namespace neurontune
