#include "io/jpeg.h"

#include <ATen/ATen.h>

// jpeglib.h needs these two first.
#include <cstddef>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <string>

#include "io/image_size.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// Warnings about files that are odd but whole; every other one tells of lost pixels.
bool is_harmless(int warning) {
  switch (warning) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
      return true;
    default:
      return false;
  }
}

/// libjpeg's decompressor. It reports failures by calling a function that must not return.
class Decompressor {
 public:
  explicit Decompressor(std::string_view bytes) {
    info_.err = jpeg_std_error(&manager_);
    info_.client_data = this;
    manager_.error_exit = &Decompressor::fail;
    manager_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !is_harmless(info->err->msg_code)) fail(info);
    };
    manager_.output_message = [](j_common_ptr) {};
    guarded([&] {
      jpeg_create_decompress(&info_);
      jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    });
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info_); }

  /// Runs a step, in which no object with a destructor may be alive, and throws where it fails.
  template <class Step>
  void guarded(const Step& step) {
    if (setjmp(jump_) != 0) throw Error(message_.data());
    step();
  }

  jpeg_decompress_struct& info() { return info_; }

 private:
  [[noreturn]] static void fail(j_common_ptr info) {
    auto* self = static_cast<Decompressor*>(info->client_data);
    info->err->format_message(info, self->message_.data());
    std::longjmp(self->jump_, 1);
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr manager_{};
  std::jmp_buf jump_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

/// The product of two fractions of 255, rounded.
int multiply(int left, int right) {
  const int product = left * right + 128;
  return (product + (product >> 8)) >> 8;
}

/// @param inverted uint8 [H, W, 4], as Adobe writes CMYK: 255 is no ink
at::Tensor rgb_from_cmyk(const at::Tensor& inverted) {
  const int64_t height = inverted.size(0), width = inverted.size(1);
  at::Tensor rgb = at::empty({height, width, 3}, at::kByte);
  const uint8_t* in = inverted.const_data_ptr<uint8_t>();
  uint8_t* out = rgb.data_ptr<uint8_t>();
  for (int64_t pixel = 0; pixel < height * width; ++pixel, in += 4, out += 3) {
    const int white = in[3];
    for (int channel = 0; channel < 3; ++channel) {
      out[channel] = static_cast<uint8_t>(white - multiply(255 - in[channel], white));
    }
  }
  return rgb;
}

/// The part of an image that libjpeg decodes.
struct DecodedPart {
  JDIMENSION top, bottom, left, width;
};

DecodedPart whole(const jpeg_decompress_struct& info) {
  return {0, info.image_height, 0, info.image_width};
}

/// A region with the pixels around it that its own depend on: colour is stored for blocks of up to
/// 32 pixels and interpolated across their borders. libjpeg begins and skips at borders of blocks.
DecodedPart with_context(const PixelRegion& region, const jpeg_decompress_struct& info) {
  constexpr int64_t kBlock = 32;
  const auto before = [](int64_t place) {
    return static_cast<JDIMENSION>(std::max<int64_t>(0, place / kBlock - 1) * kBlock);
  };
  const auto after = [](int64_t place, JDIMENSION end) {
    return static_cast<JDIMENSION>(std::min<int64_t>((place / kBlock + 2) * kBlock, end));
  };
  const auto left = before(region.left);
  return {before(region.top), after(region.bottom, info.image_height), left,
          after(region.right, info.image_width) - left};
}

}  // namespace

at::Tensor decode_jpeg(std::string_view bytes, const RegionOf& needed) {
  Decompressor decompressor(bytes);
  jpeg_decompress_struct& info = decompressor.info();
  decompressor.guarded([&] { jpeg_read_header(&info, TRUE); });
  check_image_size(info.image_height, info.image_width);

  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  const int64_t channels = cmyk ? 4 : 3;
  const at::Tensor pixels = at::empty(
      {static_cast<int64_t>(info.image_height), static_cast<int64_t>(info.image_width), channels},
      at::kByte);
  uint8_t* const data = pixels.data_ptr<uint8_t>();
  const size_t row_bytes = static_cast<size_t>(channels) * info.image_width;
  const auto part =
      needed && !cmyk ? with_context(needed(pixels.size(0), pixels.size(1)), info) : whole(info);
  decompressor.guarded([&] {
    jpeg_start_decompress(&info);
    JDIMENSION left = part.left, width = part.width;
    if (width < info.image_width) jpeg_crop_scanline(&info, &left, &width);
    if (part.top > 0) jpeg_skip_scanlines(&info, part.top);
    while (info.output_scanline < part.bottom) {
      JSAMPROW row = data + info.output_scanline * row_bytes + static_cast<size_t>(channels) * left;
      jpeg_read_scanlines(&info, &row, 1);
    }
    // Read to the end all the same, so that a truncated file is seen.
    if (part.bottom < info.image_height)
      jpeg_skip_scanlines(&info, info.image_height - part.bottom);
    jpeg_finish_decompress(&info);
  });
  return cmyk ? rgb_from_cmyk(pixels) : pixels;
}

}  // namespace neurontune
