#include "io/jpeg_encoder.h"

#include <ATen/ATen.h>

// jpeglib.h needs these two first.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>

#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// libjpeg's compressor, into memory. It reports failures by calling a function that must not
/// return.
class Compressor {
 public:
  Compressor() {
    info_.err = jpeg_std_error(&manager_);
    info_.client_data = this;
    manager_.error_exit = [](j_common_ptr info) {
      auto* self = static_cast<Compressor*>(info->client_data);
      info->err->format_message(info, self->message_.data());
      std::longjmp(self->jump_, 1);
    };
    manager_.output_message = [](j_common_ptr) {};
    guarded([&] {
      jpeg_create_compress(&info_);
      jpeg_mem_dest(&info_, &bytes_, &size_);
    });
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() {
    jpeg_destroy_compress(&info_);
    std::free(bytes_);
  }

  std::string encode(const at::Tensor& image, int quality) {
    const auto height = static_cast<JDIMENSION>(image.size(0));
    const auto width = static_cast<JDIMENSION>(image.size(1));
    const auto* const pixels = image.const_data_ptr<uint8_t>();
    guarded([&] {
      info_.image_height = height;
      info_.image_width = width;
      info_.input_components = 3;
      info_.in_color_space = JCS_RGB;
      jpeg_set_defaults(&info_);
      jpeg_set_quality(&info_, quality, TRUE);
      info_.optimize_coding = TRUE;
      jpeg_start_compress(&info_, TRUE);
      while (info_.next_scanline < height) {
        // libjpeg only reads the row.
        auto* row = const_cast<JSAMPROW>(pixels + std::size_t{3} * width * info_.next_scanline);
        jpeg_write_scanlines(&info_, &row, 1);
      }
      jpeg_finish_compress(&info_);
    });
    return {reinterpret_cast<const char*>(bytes_), size_};
  }

 private:
  /// Runs a step, in which no object with a destructor may be alive, and throws where it fails.
  template <class Step>
  void guarded(const Step& step) {
    if (setjmp(jump_) != 0) throw Error(message_.data());
    step();
  }

  jpeg_compress_struct info_{};
  jpeg_error_mgr manager_{};
  std::jmp_buf jump_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;  // as libjpeg has it
};

}  // namespace

std::string encode_jpeg(const at::Tensor& image, int quality) {
  return Compressor().encode(image, quality);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : kDigits[group >> (18U - 6U * k) & 63U];
  }
  return text;
}

}  // namespace neurontune
