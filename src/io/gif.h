#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace neurontune {

/// Decodes the first frame of a GIF to RGB. As Pillow has it, what the frame leaves free of its
/// canvas is of the transparent colour, or else the palette's first, and nothing is transparent.
///
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if the frame is corrupt or cut short, or there is none
at::Tensor decode_gif(std::string_view bytes);

}  // namespace neurontune
