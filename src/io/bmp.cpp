#include "io/bmp.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "io/image_size.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr size_t kFileHeader = 14;
constexpr uint32_t kOs2Header = 12, kInfoHeader = 40;
constexpr uint32_t kUncompressed = 0, kBitFields = 3;

/// The bytes of a file, read with an eye on its end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  const uint8_t* at(size_t place, size_t count) const {
    if (place > bytes_.size() || count > bytes_.size() - place) {
      throw Error("is a BMP file that ends early: it has " + std::to_string(bytes_.size()) +
                  " bytes, expected at least " + std::to_string(place + count));
    }
    return reinterpret_cast<const uint8_t*>(bytes_.data()) + place;
  }
  uint32_t u16(size_t place) const {
    const uint8_t* const in = at(place, 2);
    return in[0] | static_cast<uint32_t>(in[1]) << 8;
  }
  uint32_t u32(size_t place) const { return u16(place) | u16(place + 2) << 16; }

 private:
  std::string_view bytes_;
};

struct Header {
  int64_t height, width;
  bool top_down = false;
  uint32_t bits, compression = kUncompressed;
  uint32_t size;                    ///< of the header, after the file's own
  uint32_t colours;                 ///< in the palette
  size_t pixels;                    ///< where they begin
  std::array<uint32_t, 3> masks{};  ///< of red, green and blue, of 16 and 32 bits

  bool is_os2() const { return size == kOs2Header; }
  size_t palette() const { return kFileHeader + size; }
  size_t colour_bytes() const { return is_os2() ? 3 : 4; }
  /// Rows are padded to four bytes.
  size_t row_bytes() const { return (static_cast<size_t>(width) * bits + 31) / 32 * 4; }
};

[[noreturn]] void refuse(const std::string& what, uint32_t found, const std::string& expected) {
  throw Error("is a BMP file with " + what + " " + std::to_string(found) + ", expected " +
              expected);
}

void read_masks(const Bytes& bytes, Header& header) {
  if (header.compression != kBitFields) {
    if (header.bits == 16) {
      header.masks = {0x7C00, 0x3E0, 0x1F};
    } else {
      header.masks = {0xFF0000, 0xFF00, 0xFF};
    }
    return;
  }
  for (size_t channel = 0; channel < 3; ++channel) {
    uint32_t mask = bytes.u32(kFileHeader + kInfoHeader + 4 * channel);
    header.masks[channel] = mask;
    if (mask == 0) throw Error("is a BMP file without a mask of red, green or blue");
    mask >>= std::countr_zero(mask);
    if ((mask & (mask + 1)) != 0 || mask > 255)
      refuse("the colour mask", mask, "up to 8 bits in a row");
  }
}

Header read_header(const Bytes& bytes) {
  Header header{};
  header.pixels = bytes.u32(10);
  header.size = bytes.u32(14);
  if (header.is_os2()) {
    header.width = bytes.u16(18);
    header.height = bytes.u16(20);
    header.bits = bytes.u16(24);
  } else if (header.size >= kInfoHeader) {
    header.width = static_cast<int32_t>(bytes.u32(18));
    header.height = static_cast<int32_t>(bytes.u32(22));
    header.bits = bytes.u16(28);
    header.compression = bytes.u32(30);
    header.colours = bytes.u32(46);
    header.top_down = header.height < 0;
    header.height = std::abs(header.height);
  } else {
    refuse("a header of bytes", header.size, "12, or 40 and more");
  }
  if (header.height < 1 || header.width < 1) throw Error("is a BMP file without pixels");
  check_image_size(header.height, header.width);
  constexpr std::array<uint32_t, 6> kBits = {1, 4, 8, 16, 24, 32};
  if (std::find(kBits.begin(), kBits.end(), header.bits) == kBits.end()) {
    refuse("bits a pixel of", header.bits, "1, 4, 8, 16, 24 or 32");
  }
  const bool has_masks = header.compression == kBitFields && header.bits > 8;
  if (header.compression != kUncompressed && !has_masks) {
    refuse("compression", header.compression, "0 (none) or 3 (bit fields); store it uncompressed");
  }
  if (header.colours == 0 || header.colours > 256) header.colours = 256;
  if (header.bits <= 8) header.colours = std::min(header.colours, 1U << header.bits);
  read_masks(bytes, header);
  return header;
}

using Colours = std::array<std::array<uint8_t, 3>, 256>;

Colours read_palette(const Bytes& bytes, const Header& header) {
  Colours colours{};
  for (size_t index = 0; index < header.colours; ++index) {
    const uint8_t* const in = bytes.at(header.palette() + index * header.colour_bytes(), 3);
    colours[index] = {in[2], in[1], in[0]};
  }
  return colours;
}

void read_indices(const uint8_t* in, const Header& header, const Colours& colours, uint8_t* out) {
  const uint32_t in_byte = 8 / header.bits, mask = (1U << header.bits) - 1;
  for (uint32_t x = 0; x < header.width; ++x, out += 3) {
    const uint32_t shift = 8 - header.bits * (x % in_byte + 1);
    const auto& colour = colours[in[x / in_byte] >> shift & mask];
    std::copy(colour.begin(), colour.end(), out);
  }
}

/// A channel of fewer than 8 bits is stretched to 255, rounded down as Pillow does.
uint8_t channel(uint32_t pixel, uint32_t mask) {
  const int shift = std::countr_zero(mask);
  return static_cast<uint8_t>(((pixel & mask) >> shift) * 255 / (mask >> shift));
}

void read_colours(const uint8_t* in, const Header& header, uint8_t* out) {
  const uint32_t step = header.bits / 8;
  for (int64_t x = 0; x < header.width; ++x, in += step) {
    uint32_t pixel = 0;
    for (uint32_t byte = 0; byte < step; ++byte)
      pixel |= static_cast<uint32_t>(in[byte]) << 8 * byte;
    for (const uint32_t mask : header.masks) *out++ = channel(pixel, mask);
  }
}

}  // namespace

at::Tensor decode_bmp(std::string_view file) {
  const Bytes bytes(file);
  const Header header = read_header(bytes);
  const Colours colours = header.bits <= 8 ? read_palette(bytes, header) : Colours{};
  at::Tensor pixels = at::empty({header.height, header.width, 3}, at::kByte);
  const size_t row_bytes = header.row_bytes();
  bytes.at(header.pixels, row_bytes * static_cast<size_t>(header.height));
  for (int64_t row = 0; row < header.height; ++row) {
    const uint8_t* const in =
        bytes.at(header.pixels + static_cast<size_t>(row) * row_bytes, row_bytes);
    const int64_t y = header.top_down ? row : header.height - 1 - row;
    uint8_t* const out = pixels.data_ptr<uint8_t>() + y * header.width * 3;
    if (header.bits <= 8) {
      read_indices(in, header, colours, out);
    } else {
      read_colours(in, header, out);
    }
  }
  return pixels;
}

}  // namespace neurontune
