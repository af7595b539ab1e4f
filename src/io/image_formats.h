#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "io/jpeg.h"

namespace neurontune {

/// "JPEG, PNG, WebP, BMP, GIF or TIFF".
const std::string& image_formats();

/// What a file's name ends in, in small letters: ".jpg" of "1.JPG", "" of "1".
std::string small_ending(const std::filesystem::path& file);

/// Whether a file is called as one of these formats: ".jpg", ".JPEG", ".tif", …
bool has_image_ending(const std::filesystem::path& file);

/// Decodes an image of any of these formats, told apart by content, to RGB.
///
/// @param needed as decode_jpeg takes it; the other formats are decoded whole
/// @return uint8 [H, W, 3]
/// @throws Error (without the file's name) if it is of none of these formats, and which it is where
///         that can be told; or if it is corrupt or cut short
at::Tensor decode_pixels(std::string_view bytes, const RegionOf& needed);

}  // namespace neurontune
