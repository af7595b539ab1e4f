#include "io/png.h"

#include <ATen/ATen.h>
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "io/image_size.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// Where libpng's failures jump to, and what they say.
struct Failure {
  std::jmp_buf jump;
  std::array<char, 128> message;
};

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  auto* failure = static_cast<Failure*>(png_get_error_ptr(png));
  std::strncpy(failure->message.data(), message, failure->message.size() - 1);
  std::longjmp(failure->jump, 1);
}

void pass_over(png_structp, png_const_charp) {}  // warnings: of metadata, not of pixels

/// Runs a step, in which no object with a destructor may be alive, and throws where it fails.
template <class Step>
void guarded(Failure& failure, const Step& step) {
  if (setjmp(failure.jump) != 0) throw Error(failure.message.data());
  step();
}

class PngDecoder {
 public:
  explicit PngDecoder(std::string_view bytes) : left_(bytes) {
    guarded(failure_, [&] {
      png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure_, fail, pass_over);
      if (png_ != nullptr) info_ = png_create_info_struct(png_);
    });
    if (info_ == nullptr) throw Error("libpng cannot be set up");
    png_set_read_fn(png_, this, &PngDecoder::read);
  }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  at::Tensor decode() {
    guarded(failure_, [&] { read_header(); });
    const int64_t height = png_get_image_height(png_, info_);
    const int64_t width = png_get_image_width(png_, info_);
    check_image_size(height, width);
    if (png_get_rowbytes(png_, info_) != static_cast<size_t>(width) * 3) {
      throw Error("cannot be converted to RGB");
    }
    at::Tensor pixels = at::empty({height, width, 3}, at::kByte);
    std::vector<png_bytep> rows;
    for (int64_t row = 0; row < height; ++row) {
      rows.push_back(pixels.data_ptr<uint8_t>() + row * width * 3);
    }
    guarded(failure_, [&] {
      png_read_image(png_, rows.data());
      png_read_end(png_, nullptr);
    });
    return pixels;
  }

 private:
  static void read(png_structp png, png_bytep out, size_t count) {
    auto* self = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (count > self->left_.size()) png_error(png, "the file ends early");
    std::memcpy(out, self->left_.data(), count);
    self->left_.remove_prefix(count);
  }

  void read_header() {
    png_read_info(png_, info_);
    png_set_expand(png_);  // palettes, fewer than 8 bits, tRNS (as alpha)
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  Failure failure_{};
  std::string_view left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

class Encoder {
 public:
  Encoder() {
    guarded(failure_, [&] {
      png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure_, fail, pass_over);
      if (png_ != nullptr) info_ = png_create_info_struct(png_);
    });
    if (info_ == nullptr) throw Error("libpng cannot be set up");
    png_set_write_fn(png_, this, &Encoder::append, nullptr);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() { png_destroy_write_struct(&png_, &info_); }

  std::string encode(const at::Tensor& image) {
    const auto height = static_cast<png_uint_32>(image.size(0));
    const auto width = static_cast<png_uint_32>(image.size(1));
    const bool grey = image.size(2) == 1;
    const uint8_t* const pixels = image.const_data_ptr<uint8_t>();
    const size_t row_bytes = image.nbytes() / height;
    guarded(failure_, [&] {
      png_set_IHDR(png_, info_, width, height, 8, grey ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                   PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_set_compression_level(png_, 1);  // data sets of small images: speed counts
      png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
      png_write_info(png_, info_);
      for (png_uint_32 row = 0; row < height; ++row) {
        png_write_row(png_, pixels + row * row_bytes);
      }
      png_write_end(png_, nullptr);
    });
    return std::move(encoded_);
  }

 private:
  static void append(png_structp png, png_bytep data, size_t count) {
    auto* self = static_cast<Encoder*>(png_get_io_ptr(png));
    self->encoded_.append(reinterpret_cast<const char*>(data), count);
  }

  Failure failure_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string encoded_;
};

}  // namespace

at::Tensor decode_png(std::string_view bytes) { return PngDecoder(bytes).decode(); }

std::string encode_png(const at::Tensor& image) { return Encoder().encode(image); }

}  // namespace neurontune
