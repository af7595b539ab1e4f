#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// The filter that an image is resized by, as Pillow's of the same name.
enum class Interpolation { nearest, bilinear, bicubic, lanczos, box, hamming };

NEURONTUNE_EXPORT const char* name(Interpolation interpolation);

/// How a decoded image becomes a model's input. The defaults are those of ImageNet models.
struct NEURONTUNE_EXPORT ImageTransform {
  int64_t channels = 3;  ///< 3 (RGB) or 1 (grey, ITU-R 601 luma as Pillow's convert("L"))
  /// {S}: the short side becomes S, the other in proportion; {H, W}: exactly that; {}: not resized.
  std::vector<int64_t> resize = {256};
  /// {S} or {H, W}: cut from the centre; {}: not cropped.
  std::vector<int64_t> crop = {224};
  std::vector<double> mean = {0.485, 0.456, 0.406};       ///< a value a channel, or one for all
  std::vector<double> std = {0.229, 0.224, 0.225};        ///< likewise, over 0
  Interpolation interpolation = Interpolation::bilinear;  ///< of resizing

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// Decodes a JPEG, PNG, WebP, BMP, GIF (its first frame) or TIFF file (its first page), told apart
/// by content, as Pillow's convert("RGB") sees it: EXIF rotation is not applied (but for a TIFF's),
/// alpha is dropped, palettes are expanded. 16-bit samples keep their high byte, grey ones too
/// (those Pillow clips at 255, so that nearly all is white).
///
/// @return uint8 [3, H, W] on the CPU, interleaved in memory (strides of [H, W, 3])
/// @throws Error naming the file if it cannot be read or decoded whole
NEURONTUNE_EXPORT at::Tensor decode_image(const std::filesystem::path& path);

/// Resizes (antialiased on uint8, as Pillow), crops and normalises.
///
/// @param image uint8 [3, H, W]
/// @return float32 [channels, H', W'], (value / 255 − mean) / std
/// @throws Error if the crop is larger than the image (torchvision would pad it with black)
NEURONTUNE_EXPORT at::Tensor transform_image(const at::Tensor& image,
                                             const ImageTransform& transform);

/// transform_image(decode_image(path)), faster: of a JPEG, pixels that the crop drops are not
/// worked out.
/// @throws Error as these two do
NEURONTUNE_EXPORT at::Tensor load_image(const std::filesystem::path& path,
                                        const ImageTransform& transform);

/// Writes a grey or RGB PNG; it appears by rename.
/// @param image uint8 [H, W] or [3, H, W], on the CPU
NEURONTUNE_EXPORT void write_png(const std::filesystem::path& path, const at::Tensor& image);

}  // namespace neurontune
