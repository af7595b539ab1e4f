#include "neurontune/data/image.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "data/resample.h"
#include "io/file_io.h"
#include "io/image_formats.h"
#include "io/png.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr int64_t kLargestSide = 65535;

std::string text(int64_t height, int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

void validate_sides(const char* name, const std::vector<int64_t>& sides) {
  if (sides.size() > 2) {
    throw OptionError(std::string(name) + " has " + std::to_string(sides.size()) +
                      " numbers, expected none, {S} or {H, W}");
  }
  for (const int64_t side : sides) {
    if (side < 1 || side > kLargestSide) {
      throw OptionError(std::string(name) + " is " + std::to_string(side) + ", expected 1 to " +
                        std::to_string(kLargestSide));
    }
  }
}

void validate_per_channel(const char* name, const std::vector<double>& values, int64_t channels) {
  if (values.size() != 1 && static_cast<int64_t>(values.size()) != channels) {
    throw OptionError(std::string(name) + " has " + std::to_string(values.size()) +
                      " numbers, expected 1 or one for each of " + std::to_string(channels) +
                      (channels == 1 ? " channel" : " channels"));
  }
  for (const double value : values) {
    if (!std::isfinite(value)) throw OptionError(std::string(name) + " is not finite");
  }
}

/// Pillow's convert("L"): ITU-R 601 luma in 16-bit fixed point.
/// @param image uint8 [3, H, W]
/// @return uint8 [1, H, W]
at::Tensor luma(const at::Tensor& image) {
  const at::Tensor interleaved = image.permute({1, 2, 0}).contiguous();
  at::Tensor grey = at::empty({1, image.size(1), image.size(2)}, at::kByte);
  const uint8_t* in = interleaved.const_data_ptr<uint8_t>();
  uint8_t* out = grey.data_ptr<uint8_t>();
  for (int64_t pixel = 0; pixel < grey.numel(); ++pixel, in += 3) {
    out[pixel] =
        static_cast<uint8_t>((in[0] * 19595 + in[1] * 38470 + in[2] * 7471 + 0x8000) >> 16);
  }
  return grey;
}

/// The size that torchvision's Resize gives.
std::array<int64_t, 2> resized_size(int64_t height, int64_t width,
                                    const std::vector<int64_t>& resize) {
  if (resize.size() == 2) return {resize[0], resize[1]};
  const int64_t short_side = std::min(height, width), long_side = std::max(height, width);
  const auto new_long = static_cast<int64_t>(static_cast<double>(resize[0] * long_side) /
                                             static_cast<double>(short_side));
  return height <= width ? std::array{resize[0], new_long} : std::array{new_long, resize[0]};
}

at::Tensor resized(const at::Tensor& image, const ImageTransform& transform) {
  if (transform.resize.empty()) return image;
  const auto [height, width] = resized_size(image.size(1), image.size(2), transform.resize);
  if (height > kLargestSide || width > kLargestSide) {
    throw Error("resizing " + text(image.size(1), image.size(2)) + " would give " +
                text(height, width) + ", sides are at most " + std::to_string(kLargestSide));
  }
  if (height == image.size(1) && width == image.size(2)) return image;
  return resample(image, height, width, transform.interpolation);
}

/// Half of a difference as Python's round((a − b) / 2) gives it: halves go to the even number.
int64_t half(int64_t difference) {
  const int64_t floor = difference / 2;
  return difference % 2 == 0 ? floor : floor + floor % 2;
}

at::Tensor cropped(const at::Tensor& image, const std::vector<int64_t>& crop) {
  if (crop.empty()) return image;
  const int64_t height = crop.front(), width = crop.back();
  if (height > image.size(1) || width > image.size(2)) {
    throw Error("crop is " + text(height, width) + ", but the image has " +
                text(image.size(1), image.size(2)) + " pixels; resize it to at least that");
  }
  return image.narrow(1, half(image.size(1) - height), height)
      .narrow(2, half(image.size(2) - width), width);
}

float of_channel(const std::vector<double>& values, int64_t channel) {
  return static_cast<float>(values.size() == 1 ? values[0] : values[static_cast<size_t>(channel)]);
}

/// (value / 255 − mean) / std of each of the 256 values, worked out once.
std::array<float, 256> normalised_values(float mean, float std) {
  std::array<float, 256> values{};
  for (size_t value = 0; value < values.size(); ++value)
    values[value] = (static_cast<float>(value) / 255 - mean) / std;
  return values;
}

/// @param pixels uint8 [channels, H, W], of any strides
/// @return float32 [channels, H, W]
at::Tensor normalised(const at::Tensor& pixels, const ImageTransform& transform) {
  at::Tensor result = at::empty(pixels.sizes(), at::kFloat);
  float* out = result.data_ptr<float>();
  const int64_t column = pixels.stride(2);
  for (int64_t channel = 0; channel < pixels.size(0); ++channel) {
    const auto values =
        normalised_values(of_channel(transform.mean, channel), of_channel(transform.std, channel));
    for (int64_t y = 0; y < pixels.size(1); ++y) {
      const uint8_t* in =
          pixels.const_data_ptr<uint8_t>() + channel * pixels.stride(0) + y * pixels.stride(1);
      for (int64_t x = 0; x < pixels.size(2); ++x, in += column) *out++ = values[*in];
    }
  }
  return result;
}

/// From which pixels on, and to which, a centred crop of a resized side depends on the original's.
std::array<int64_t, 2> needed_of_side(int64_t side, int64_t resized_to, int64_t crop,
                                      double filter_support) {
  const int64_t first = half(resized_to - crop);
  const double scale = static_cast<double>(side) / static_cast<double>(resized_to);
  const double support = filter_support * std::max(scale, 1.0);
  const auto low = static_cast<int64_t>((static_cast<double>(first) + 0.5) * scale - support) - 1;
  const auto high =
      static_cast<int64_t>((static_cast<double>(first + crop) - 0.5) * scale + support) + 2;
  return {std::clamp<int64_t>(low, 0, side), std::clamp<int64_t>(high, 0, side)};
}

/// The part of an image that its transform looks at.
PixelRegion needed_region(int64_t height, int64_t width, const ImageTransform& transform) {
  if (transform.crop.empty()) return {0, 0, height, width};
  const auto resized_to = transform.resize.empty() ? std::array{height, width}
                                                   : resized_size(height, width, transform.resize);
  const double support = filter_support(transform.interpolation);
  const auto rows = needed_of_side(height, resized_to[0], transform.crop.front(), support);
  const auto columns = needed_of_side(width, resized_to[1], transform.crop.back(), support);
  return {rows[0], columns[0], rows[1], columns[1]};
}

at::Tensor decode_file(const std::filesystem::path& path, const RegionOf& needed) {
  const std::string bytes = read_file(path);
  try {
    return decode_pixels(bytes, needed).permute({2, 0, 1});
  } catch (const Error& error) {
    throw Error(path.string() + ": " + error.what());
  } catch (const c10::Error& error) {
    throw Error(path.string() + ": cannot be decoded: " + error.what_without_backtrace());
  }
}

}  // namespace

const char* name(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::nearest:
      return "nearest";
    case Interpolation::bilinear:
      return "bilinear";
    case Interpolation::bicubic:
      return "bicubic";
    case Interpolation::lanczos:
      return "lanczos";
    case Interpolation::box:
      return "box";
    case Interpolation::hamming:
      return "hamming";
  }
  return "";
}

void ImageTransform::validate() const {
  if (channels != 1 && channels != 3) {
    throw OptionError("channels is " + std::to_string(channels) + ", expected 1 or 3");
  }
  validate_sides("resize", resize);
  validate_sides("crop", crop);
  validate_per_channel("mean", mean, channels);
  validate_per_channel("std", std, channels);
  if (std::any_of(std.begin(), std.end(), [](double value) { return value <= 0; })) {
    throw OptionError("std has a value of 0 or less, expected over 0");
  }
}

at::Tensor decode_image(const std::filesystem::path& path) { return decode_file(path, {}); }

at::Tensor load_image(const std::filesystem::path& path, const ImageTransform& transform) {
  const auto needed = [&](int64_t height, int64_t width) {
    return needed_region(height, width, transform);
  };
  return transform_image(decode_file(path, needed), transform);
}

at::Tensor transform_image(const at::Tensor& image, const ImageTransform& transform) {
  const at::Tensor channels = transform.channels == 1 ? luma(image) : image;
  return normalised(cropped(resized(channels, transform), transform.crop), transform);
}

void write_png(const std::filesystem::path& path, const at::Tensor& image) {
  const bool grey = image.dim() == 2;
  if (image.scalar_type() != at::kByte || !(grey || (image.dim() == 3 && image.size(0) == 3)) ||
      image.numel() == 0) {
    throw Error(path.string() + ": an image to write must be uint8 [H, W] or [3, H, W]");
  }
  const at::Tensor interleaved = grey ? image.unsqueeze(2) : image.permute({1, 2, 0});
  try {
    write_file(path, encode_png(interleaved.contiguous()));
  } catch (const c10::Error& error) {
    throw Error(path.string() + ": cannot be written: " + error.what_without_backtrace());
  }
}

}  // namespace neurontune
