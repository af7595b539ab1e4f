#include "io/image_formats.h"

#include <algorithm>
#include <array>

#include "base/lower_case.h"
#include "io/bmp.h"
#include "io/gif.h"
#include "io/png.h"
#include "io/tiff.h"
#include "io/webp.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using namespace std::string_view_literals;

constexpr std::array kEndings = {".jpg"sv, ".jpeg"sv, ".jpe"sv, ".jfif"sv, ".png"sv, ".webp"sv,
                                 ".bmp"sv, ".dib"sv,  ".gif"sv, ".tif"sv,  ".tiff"sv};

/// Bytes at a place of a file by which its format is told.
struct Signature {
  size_t place;
  std::string_view bytes;
  const char* format;
};

/// Formats that are not read, so that the error can say what the file is.
constexpr std::array kUnread = {
    Signature{4, "ftypavi", "an AVIF image"},
    Signature{4, "ftyphei", "a HEIC image"},
    Signature{4, "ftyphev", "a HEIC image"},
    Signature{4, "ftypmif1", "a HEIF image"},
    Signature{0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 image"},
    Signature{0, "\xFF\x4F\xFF\x51", "a JPEG 2000 image"},
    Signature{0, "\0\0\0\x0CJXL "sv, "a JPEG XL image"},
    Signature{0, "\xFF\x0A", "a JPEG XL image"},
    Signature{0, "P2", "a PGM image"},
    Signature{0, "P3", "a PPM image"},
    Signature{0, "P5", "a PGM image"},
    Signature{0, "P6", "a PPM image"},
    Signature{0, "8BPS", "a Photoshop document"},
    Signature{0, "%PDF", "a PDF document"},
    Signature{0, "<svg", "an SVG image"},
    Signature{0, "<?xml", "an XML document"},
    Signature{0, "<!DOCTYPE html", "an HTML page"},
    Signature{0, "<html", "an HTML page"},
    Signature{0, "version https://git-lfs", "a pointer of Git LFS, not yet fetched"},
};

bool has(std::string_view bytes, size_t place, std::string_view expected) {
  return bytes.size() >= place && bytes.substr(place).starts_with(expected);
}

}  // namespace

const std::string& image_formats() {
  static const std::string formats = "JPEG, PNG, WebP, BMP, GIF or TIFF";
  return formats;
}

std::string small_ending(const std::filesystem::path& file) {
  return in_lower_case(file.extension().string());
}

bool has_image_ending(const std::filesystem::path& file) {
  return std::find(kEndings.begin(), kEndings.end(), small_ending(file)) != kEndings.end();
}

at::Tensor decode_pixels(std::string_view bytes, const RegionOf& needed) {
  if (has(bytes, 0, "\xFF\xD8\xFF")) return decode_jpeg(bytes, needed);
  if (has(bytes, 0, "\x89PNG\r\n\x1A\n")) return decode_png(bytes);
  if (has(bytes, 0, "RIFF") && has(bytes, 8, "WEBP")) return decode_webp(bytes);
  if (has(bytes, 0, "BM")) return decode_bmp(bytes);
  if (has(bytes, 0, "GIF87a") || has(bytes, 0, "GIF89a")) return decode_gif(bytes);
  for (const auto start : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (has(bytes, 0, start)) return decode_tiff(bytes);
  }
  for (const Signature& signature : kUnread) {
    if (!has(bytes, signature.place, signature.bytes)) continue;
    throw Error(std::string("is ") + signature.format + ", expected " + image_formats());
  }
  throw Error("is no image that can be read, expected " + image_formats());
}

}  // namespace neurontune
