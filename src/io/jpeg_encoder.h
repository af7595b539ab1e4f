#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace neurontune {

/// @param image   uint8 [H, W, 3], contiguous, H and W at least 1
/// @param quality 1 to 100
/// @throws Error if the image cannot be encoded
std::string encode_jpeg(const at::Tensor& image, int quality);

/// Bytes as text: RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace neurontune
