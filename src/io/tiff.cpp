#include "io/tiff.h"

#include <ATen/ATen.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "io/image_size.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// A file in memory as libtiff reads it, and the first failure that it told of.
struct Source {
  std::string_view bytes;
  size_t place = 0;
  std::string failure;
};

Source& source_of(thandle_t handle) { return *static_cast<Source*>(handle); }

tmsize_t read(thandle_t handle, void* out, tmsize_t count) {
  Source& source = source_of(handle);
  const size_t left = source.bytes.size() - std::min(source.place, source.bytes.size());
  const size_t given = std::min(static_cast<size_t>(count), left);
  if (given > 0) std::memcpy(out, source.bytes.data() + source.place, given);
  source.place += given;
  return static_cast<tmsize_t>(given);
}

tmsize_t refuse_to_write(thandle_t, void*, tmsize_t) { return -1; }

toff_t seek(thandle_t handle, toff_t offset, int from) {
  Source& source = source_of(handle);
  const size_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? source.place : source.bytes.size();
  return source.place = base + offset;
}

toff_t size(thandle_t handle) { return source_of(handle).bytes.size(); }
int close(thandle_t) { return 0; }

int note_failure(TIFF*, void* user_data, const char*, const char* format, va_list arguments) {
  auto* source = static_cast<Source*>(user_data);
  std::array<char, 256> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  if (source->failure.empty()) source->failure = text.data();
  return 1;
}

/// Of tags that do not concern pixels.
int pass_over(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using Tiff = std::unique_ptr<TIFF, void (*)(TIFF*)>;

Tiff open(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), note_failure, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), pass_over, nullptr);
  return {TIFFClientOpenExt("image", "rm", &source, read, refuse_to_write, seek, close, size,
                            nullptr, nullptr, options.get()),
          TIFFClose};
}

[[noreturn]] void fail(const std::string& reason) {
  throw Error("is a TIFF file that cannot be decoded" + (reason.empty() ? "" : ": " + reason));
}

/// The kind of the alpha channel, which then is hidden from libtiff: it would multiply by it.
uint16_t take_alpha(TIFF* tiff) {
  uint16_t count = 0, *kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 0 || count == 0) {
    return EXTRASAMPLE_UNSPECIFIED;
  }
  const uint16_t kind = kinds[0];
  const std::vector<uint16_t> unspecified(count, EXTRASAMPLE_UNSPECIFIED);
  TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, count, unspecified.data());
  return kind;
}

/// Undoes the multiplication by alpha, as Pillow does.
void divide_by_alpha(const at::Tensor& rgba) {
  uint8_t* pixel = rgba.data_ptr<uint8_t>();
  for (int64_t index = 0; index < rgba.numel() / 4; ++index, pixel += 4) {
    const int alpha = pixel[3];
    if (alpha == 0 || alpha == 255) continue;
    for (int channel = 0; channel < 3; ++channel) {
      pixel[channel] = static_cast<uint8_t>(std::min(255, 255 * pixel[channel] / alpha));
    }
  }
}

/// libtiff's colours of a CIE L*a*b* image are up to 61 of 255 away from Pillow's.
void check_colours(TIFF* tiff) {
  uint16_t colours = 0;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PHOTOMETRIC, &colours);
  if (colours == PHOTOMETRIC_CIELAB || colours == PHOTOMETRIC_ICCLAB ||
      colours == PHOTOMETRIC_ITULAB)
    fail("its colours are CIE L*a*b*, expected RGB, grey or a palette");
}

/// @return uint8 [H, W, 4] in the order in which it is stored
at::Tensor stored_pixels(TIFF* tiff, const Source& source) {
  std::array<char, 1024> reason{};
  TIFFRGBAImage image;
  const uint16_t alpha = take_alpha(tiff);
  check_colours(tiff);
  if (TIFFRGBAImageOK(tiff, reason.data()) == 0 ||
      TIFFRGBAImageBegin(&image, tiff, /*stop=*/1, reason.data()) == 0) {
    fail(reason.data());
  }
  const std::unique_ptr<TIFFRGBAImage, void (*)(TIFFRGBAImage*)> end(&image, TIFFRGBAImageEnd);
  check_image_size(image.height, image.width);
  image.req_orientation = image.orientation;
  const at::Tensor words = at::empty({image.height, image.width}, at::kInt);
  auto* const raster = reinterpret_cast<uint32_t*>(words.data_ptr<int32_t>());
  if (TIFFRGBAImageGet(&image, raster, image.width, image.height) == 0) fail(source.failure);
  at::Tensor rgba = at::empty({image.height, image.width, 4}, at::kByte);
  uint8_t* out = rgba.data_ptr<uint8_t>();
  for (int64_t pixel = 0; pixel < words.numel(); ++pixel) {
    const uint32_t word = raster[pixel];
    *out++ = static_cast<uint8_t>(TIFFGetR(word));
    *out++ = static_cast<uint8_t>(TIFFGetG(word));
    *out++ = static_cast<uint8_t>(TIFFGetB(word));
    *out++ = static_cast<uint8_t>(TIFFGetA(word));
  }
  if (alpha == EXTRASAMPLE_ASSOCALPHA) divide_by_alpha(rgba);
  return rgba;
}

/// @param image [H, W, …] as it is stored
at::Tensor upright(const at::Tensor& image, uint16_t orientation) {
  switch (orientation) {
    case ORIENTATION_TOPRIGHT:
      return image.flip({1});
    case ORIENTATION_BOTRIGHT:
      return image.flip({0, 1});
    case ORIENTATION_BOTLEFT:
      return image.flip({0});
    case ORIENTATION_LEFTTOP:
      return image.transpose(0, 1);
    case ORIENTATION_RIGHTTOP:
      return image.transpose(0, 1).flip({1});
    case ORIENTATION_RIGHTBOT:
      return image.transpose(0, 1).flip({0, 1});
    case ORIENTATION_LEFTBOT:
      return image.transpose(0, 1).flip({0});
    default:
      return image;
  }
}

}  // namespace

at::Tensor decode_tiff(std::string_view bytes) {
  Source source{bytes, 0, {}};
  const Tiff tiff = open(source);
  if (tiff == nullptr) fail(source.failure);
  uint32_t height = 0, width = 0;
  uint16_t orientation = ORIENTATION_TOPLEFT;
  TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
  TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  if (height == 0 || width == 0) fail("it has no pixels");
  check_image_size(height, width);
  at::Tensor rgba = stored_pixels(tiff.get(), source);
  return upright(rgba.narrow(2, 0, 3), orientation).contiguous();
}

}  // namespace neurontune
