#include "neurontune/data/image.h"

#include <ATen/ATen.h>
#include <png.h>

// jpeglib.h needs these two first.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#include <zlib.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "data/temporary_folder.h"
#include "error_matchers.h"

namespace neurontune {
namespace {

at::Tensor bytes(const std::vector<int64_t>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kLong).to(at::kByte).view(shape);
}

/// A smooth picture, which JPEG keeps well.
at::Tensor gradient(int64_t height, int64_t width) {
  const at::Tensor y = at::linspace(0, 255, height).view({1, height, 1});
  const at::Tensor x = at::linspace(0, 255, width).view({1, 1, width});
  return at::cat({y.expand({1, height, width}), x.expand({1, height, width}), (x + y).div(2)})
      .to(at::kByte);
}

/// Encodes what `configure` has set up; `samples` holds the rows as libjpeg takes them.
std::string jpeg(const at::Tensor& samples, J_COLOR_SPACE in, J_COLOR_SPACE stored) {
  const at::Tensor rows = samples.contiguous();
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_height = static_cast<JDIMENSION>(rows.size(0));
  info.image_width = static_cast<JDIMENSION>(rows.size(1));
  info.input_components = static_cast<int>(rows.size(2));
  info.in_color_space = in;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, stored);
  jpeg_set_quality(&info, 100, TRUE);
  for (int component = 0; component < info.num_components; ++component) {
    info.comp_info[component].h_samp_factor = info.comp_info[component].v_samp_factor = 1;
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = rows.data_ptr<uint8_t>() + info.next_scanline * rows.size(1) * rows.size(2);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string encoded(reinterpret_cast<const char*>(buffer), size);
  free(buffer);
  return encoded;
}

std::string rgb_jpeg(const at::Tensor& image) {
  return jpeg(image.permute({1, 2, 0}), JCS_RGB, JCS_YCbCr);
}

int64_t largest_difference(const at::Tensor& left, const at::Tensor& right) {
  return left.to(at::kLong).sub(right.to(at::kLong)).abs().max().item<int64_t>();
}

/// A BMP of Windows; a height below 0 says that rows go downwards.
/// @param more after the header: masks or a palette
std::string bmp(int32_t width, int32_t height, uint16_t bits, uint32_t compression,
                const std::string& more, const std::string& pixels) {
  const auto number = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);  // little endian
  };
  const uint32_t zero = 0, start = static_cast<uint32_t>(54 + more.size());
  return "BM" + number(zero) + number(zero) + number(start) + number(uint32_t{40}) + number(width) +
         number(height) + number(uint16_t{1}) + number(bits) + number(compression) + number(zero) +
         number(zero) + number(zero) + number(zero) + number(zero) + more + pixels;
}

/// A transform that only makes bytes floats, so that results can be told by hand.
ImageTransform plain() { return {3, {}, {}, {0}, {1}}; }

class ImageTest : public TemporaryFolderTest {
 protected:
  at::Tensor decode(const std::string& content) const {
    return decode_image(write("image", content));
  }

  /// Writes a PNG of any kind: `rows` as libpng packs them, `more` for chunks before the pixels.
  std::filesystem::path write_odd_png(int width, int depth, int color_type,
                                      const std::vector<std::vector<uint8_t>>& rows,
                                      const std::function<void(png_structp, png_infop)>& more = {},
                                      int interlace = PNG_INTERLACE_NONE) const {
    const std::filesystem::path path = folder() / "odd.png";
    std::FILE* file = std::fopen(path.c_str(), "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(rows.size()),
                 depth, color_type, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (more) more(png, info);
    png_write_info(png, info);
    std::vector<std::vector<uint8_t>> copy = rows;
    std::vector<png_bytep> pointers;
    for (auto& row : copy) pointers.push_back(row.data());
    png_write_image(png, pointers.data());
    png_write_end(png, nullptr);
    png_destroy_write_struct(&png, &info);
    std::fclose(file);
    return path;
  }
};

// --- PNG ---------------------------------------------------------------------------------------

TEST_F(ImageTest, WrittenPngsAreReadBackExactly) {
  const at::Tensor rgb = at::arange(3 * 5 * 7).mul(37).remainder(256).to(at::kByte).view({3, 5, 7});
  write_png(folder() / "rgb.png", rgb);
  EXPECT_TRUE(at::equal(decode_image(folder() / "rgb.png"), rgb));
  const at::Tensor grey = rgb[1];
  write_png(folder() / "grey.png", grey);
  EXPECT_TRUE(at::equal(decode_image(folder() / "grey.png"), grey.expand({3, 5, 7})));
  EXPECT_EQ(entries(), 2) << "nothing but the images is left";
}

TEST_F(ImageTest, PalettesAreExpandedAndTheirTransparencyDropped) {
  const auto path = write_odd_png(
      3, 2, PNG_COLOR_TYPE_PALETTE, {{0b00'01'10'00}}, [](png_structp png, png_infop info) {
        const png_color palette[3] = {{255, 0, 0}, {0, 128, 0}, {1, 2, 3}};
        png_set_PLTE(png, info, palette, 3);
        const png_byte alpha[2] = {0, 100};
        png_set_tRNS(png, info, alpha, 2, nullptr);
      });
  EXPECT_TRUE(at::equal(decode_image(path), bytes({255, 0, 1, 0, 128, 2, 0, 0, 3}, {3, 1, 3})));
}

TEST_F(ImageTest, GreyOfOneBitIsBlackAndWhite) {
  const auto path = write_odd_png(3, 1, PNG_COLOR_TYPE_GRAY, {{0b1010'0000}});
  EXPECT_TRUE(at::equal(decode_image(path)[2], bytes({255, 0, 255}, {1, 3})));
}

TEST_F(ImageTest, AlphaIsDroppedAndNotMixedIn) {
  const auto rgba = write_odd_png(2, 8, PNG_COLOR_TYPE_RGBA, {{10, 20, 30, 0, 40, 50, 60, 128}});
  EXPECT_TRUE(at::equal(decode_image(rgba), bytes({10, 40, 20, 50, 30, 60}, {3, 1, 2})));
  const auto grey = write_odd_png(2, 8, PNG_COLOR_TYPE_GRAY_ALPHA, {{10, 0, 40, 128}});
  EXPECT_TRUE(at::equal(decode_image(grey)[1], bytes({10, 40}, {1, 2})));
  const auto keyed = write_odd_png(2, 8, PNG_COLOR_TYPE_RGB, {{1, 2, 3, 4, 5, 6}},
                                   [](png_structp png, png_infop info) {
                                     const png_color_16 key{0, 1, 2, 3, 0};
                                     png_set_tRNS(png, info, nullptr, 0, &key);
                                   });
  EXPECT_TRUE(at::equal(decode_image(keyed), bytes({1, 4, 2, 5, 3, 6}, {3, 1, 2})));
}

TEST_F(ImageTest, SixteenBitsKeepTheHighByte) {
  const auto path = write_odd_png(2, 16, PNG_COLOR_TYPE_GRAY, {{0x12, 0xFF, 0xFE, 0x80}});
  EXPECT_TRUE(at::equal(decode_image(path)[0], bytes({0x12, 0xFE}, {1, 2})));
}

TEST_F(ImageTest, GammaChangesNothing) {
  const auto path =
      write_odd_png(2, 8, PNG_COLOR_TYPE_GRAY, {{10, 200}},
                    [](png_structp png, png_infop info) { png_set_gAMA(png, info, 1.0); });
  EXPECT_TRUE(at::equal(decode_image(path)[0], bytes({10, 200}, {1, 2})));
}

TEST_F(ImageTest, InterlacedPngsAreRead) {
  std::vector<std::vector<uint8_t>> rows(9, std::vector<uint8_t>(9));
  for (size_t y = 0; y < 9; ++y) {
    for (size_t x = 0; x < 9; ++x) rows[y][x] = static_cast<uint8_t>(y * 9 + x);
  }
  const auto path = write_odd_png(9, 8, PNG_COLOR_TYPE_GRAY, rows, {}, PNG_INTERLACE_ADAM7);
  EXPECT_TRUE(at::equal(decode_image(path)[0], at::arange(81).to(at::kByte).view({9, 9})));
}

TEST_F(ImageTest, TruncatedAndCorruptPngsAreRefused) {
  write_png(folder() / "whole.png", gradient(20, 20));
  const std::string whole = read(folder() / "whole.png");
  for (const size_t size : {9UL, 40UL, whole.size() / 2, whole.size() - 12, whole.size() - 1}) {
    EXPECT_ERROR(decode(whole.substr(0, size)), "image: the file ends early");
  }
  std::string corrupt = whole;
  corrupt[whole.size() / 2] = static_cast<char>(~corrupt[whole.size() / 2]);
  EXPECT_ERROR(decode(corrupt), "image: ");
}

TEST_F(ImageTest, PngsThatClaimTooManyPixelsAreRefusedBeforeMemoryIsTaken) {
  write_png(folder() / "small.png", gradient(2, 2));
  std::string png = read(folder() / "small.png");
  // IHDR lies at 8: length, type, width, height (100,000 each), 5 bytes, CRC.
  for (const size_t side : {16U, 20U}) png.replace(side, 4, std::string("\0\1\x86\xA0", 4));
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17);
  for (unsigned byte = 0; byte < 4; ++byte) {
    png[29 + byte] = static_cast<char>(crc >> (24 - 8 * byte) & 0xFF);
  }
  EXPECT_ERROR(decode(png), "has 100000 x 100000 pixels");
}

TEST_F(ImageTest, WhatIsNoImageIsNotWritten) {
  EXPECT_ERROR(write_png(folder() / "x.png", at::ones({2, 2})), "x.png: an image to write");
  EXPECT_ERROR(write_png(folder() / "x.png", at::ones({4, 2, 2}, at::kByte)), "must be uint8");
  EXPECT_ERROR(write_png(folder() / "x.png", at::ones({0, 2}, at::kByte)), "must be uint8");
  EXPECT_ERROR(write_png(folder() / "no" / "x.png", at::ones({2, 2}, at::kByte)),
               "x.png: cannot be created");
}

// --- JPEG --------------------------------------------------------------------------------------

TEST_F(ImageTest, ColourJpegsAreDecodedToRgb) {
  const at::Tensor image = gradient(33, 47);
  const at::Tensor decoded = decode(rgb_jpeg(image));
  ASSERT_EQ(decoded.sizes(), image.sizes());
  EXPECT_LE(largest_difference(decoded, image), 3);
}

TEST_F(ImageTest, GreyJpegsHaveThreeEqualChannels) {
  const at::Tensor grey = gradient(16, 24).slice(0, 2, 3);
  const at::Tensor decoded = decode(jpeg(grey.permute({1, 2, 0}), JCS_GRAYSCALE, JCS_GRAYSCALE));
  EXPECT_LE(largest_difference(decoded, grey.expand({3, 16, 24})), 1);
  EXPECT_TRUE(at::equal(decoded[0], decoded[2]));
}

TEST_F(ImageTest, CmykJpegsAreReadAsAdobeWritesThem) {
  // Inverted: 255 is no ink. Cyan of 55 of 255 and black of 155 leave red (1 − 55/255)(100) = 78.4.
  const at::Tensor ink = bytes({200, 255, 255, 100}, {1, 1, 4}).expand({16, 16, 4});
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    const at::Tensor decoded = decode(jpeg(ink, JCS_CMYK, stored));
    EXPECT_LE(largest_difference(decoded, bytes({78, 100, 100}, {3, 1, 1}).expand({3, 16, 16})), 1)
        << "stored as " << stored;
  }
}

TEST_F(ImageTest, TruncatedAndCorruptJpegsAreRefused) {
  const std::string whole = rgb_jpeg(gradient(64, 64));
  for (const size_t size : {4UL, 100UL, whole.size() / 2, whole.size() - 10}) {
    EXPECT_ERROR(decode(whole.substr(0, size)), "image: ");
  }
  std::string overwritten = whole;
  overwritten.replace(whole.size() / 2, 40, std::string(40, '\xFF'));
  EXPECT_ERROR(decode(overwritten), "image: ");
}

TEST_F(ImageTest, BmpsOfSixteenBitsAndFromTheTopAreDecoded) {
  // Two rows of one pixel, padded to four bytes, the first the upper one: 5, 5 and 5 bits.
  const auto decoded = decode(bmp(1, -2, 16, 0, "", std::string("\x1F\x7C\0\0\xE0\x03\0\0", 8)));
  EXPECT_TRUE(at::equal(decoded, bytes({255, 0, 0, 255, 255, 0}, {3, 2, 1}))) << decoded;
  // 5, 6 and 5 bits, by masks.
  const std::string masks("\0\xF8\0\0\xE0\x07\0\0\x1F\0\0\0", 12);
  const auto masked = decode(bmp(1, 1, 16, 3, masks, std::string("\x30\x84\0\0", 4)));
  EXPECT_TRUE(at::equal(masked, bytes({131, 133, 131}, {3, 1, 1}))) << masked;
}

TEST_F(ImageTest, FaultyBmpsAreRefused) {
  EXPECT_ERROR(decode("BM"), "is a BMP file that ends early: it has 2 bytes");
  EXPECT_ERROR(decode(bmp(2, 2, 24, 0, "", std::string(15, 'x'))),
               "ends early: it has 69 bytes, expected at least 70");
  EXPECT_ERROR(decode(bmp(2, 2, 8, 1, "", "")), "compression 1, expected 0 (none) or 3");
  EXPECT_ERROR(decode(bmp(2, 2, 2, 0, "", "")),
               "bits a pixel of 2, expected 1, 4, 8, 16, 24 or 32");
  EXPECT_ERROR(decode(bmp(0, 2, 24, 0, "", "")), "without pixels");
  EXPECT_ERROR(decode(bmp(60000, 60000, 24, 0, "", "")), "has 60000 x 60000 pixels, at most");
  EXPECT_ERROR(decode(bmp(1, 1, 32, 3, std::string(12, '\0'), "")), "without a mask");
}

TEST_F(ImageTest, WhatIsOfNoFormatThatIsReadIsRefusedByName) {
  EXPECT_ERROR(decode("GIF89a"), "image: is a GIF that is corrupt or ends early");
  EXPECT_ERROR(decode(""),
               "is no image that can be read, expected JPEG, PNG, WebP, BMP, GIF or TIFF");
  EXPECT_ERROR(decode(std::string("\0\0\0\x1C", 4) + "ftypheic"),
               "image: is a HEIC image, expected");
  EXPECT_ERROR(decode(std::string("\0\0\0\x1C", 4) + "ftypavif"),
               "image: is an AVIF image, expected");
  EXPECT_ERROR(decode("P6\n2 2\n255\n"), "image: is a PPM image, expected");
  EXPECT_ERROR(decode("<!DOCTYPE html><html>"), "image: is an HTML page, expected JPEG");
  EXPECT_ERROR(decode_image(folder() / "absent.jpg"), "absent.jpg: cannot be opened: No such file");
  EXPECT_ERROR(decode_image(folder()), "is a folder");
}

// --- Transforms --------------------------------------------------------------------------------

TEST(TransformImage, NormalisesEachChannel) {
  const at::Tensor image = bytes({0, 255, 51, 102, 255, 0}, {3, 1, 2});
  ImageTransform transform{3, {}, {}, {0, 0.5, 1}, {1, 0.5, 2}};
  const at::Tensor result = transform_image(image, transform);
  EXPECT_EQ(result.scalar_type(), at::kFloat);
  EXPECT_TRUE(result.is_contiguous());
  EXPECT_TRUE(at::allclose(
      result, at::tensor({0., 1., -0.6, -0.2, 0., -0.5}).to(at::kFloat).view({3, 1, 2})));
}

TEST(TransformImage, OneMeanAndDeviationServeAllChannels) {
  const at::Tensor image = bytes({0, 255, 51}, {3, 1, 1});
  EXPECT_TRUE(at::allclose(transform_image(image, {3, {}, {}, {0.5}, {0.5}}).view(-1),
                           at::tensor({-1., 1., -0.6}).to(at::kFloat)));
}

TEST(TransformImage, GreyIsPillowsLuma) {
  // (19595 R + 38470 G + 7471 B + 32768) >> 16
  const at::Tensor image = bytes({255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30}, {3, 1, 4});
  ImageTransform transform = plain();
  transform.channels = 1;
  const at::Tensor result = transform_image(image, transform);
  ASSERT_EQ(result.sizes(), at::IntArrayRef({1, 1, 4}));
  EXPECT_TRUE(
      at::equal(result.mul(255).round().to(at::kByte), bytes({76, 150, 29, 18}, {1, 1, 4})));
}

TEST(TransformImage, TheCropIsCentredWithHalvesToTheEvenNumber) {
  const at::Tensor image = at::arange(70).to(at::kByte).view({1, 7, 10}).expand({3, 7, 10});
  ImageTransform transform = plain();
  transform.crop = {4, 5};  // offsets round(1.5) = 2 and round(2.5) = 2
  EXPECT_EQ(transform_image(image, transform)[0][0][0].item<float>(), 22.F / 255);
  transform.crop = {6, 3};  // round(0.5) = 0 and round(3.5) = 4
  EXPECT_EQ(transform_image(image, transform)[0][0][0].item<float>(), 4.F / 255);
  transform.crop = {5};
  EXPECT_EQ(transform_image(image, transform).sizes(), at::IntArrayRef({3, 5, 5}));
}

TEST(TransformImage, TheShortSideIsResizedAndTheLongOneFollows) {
  ImageTransform transform = plain();
  transform.resize = {4};
  // int(4 · 11 / 7) = 6
  EXPECT_EQ(transform_image(gradient(7, 11), transform).sizes(), at::IntArrayRef({3, 4, 6}));
  EXPECT_EQ(transform_image(gradient(11, 7), transform).sizes(), at::IntArrayRef({3, 6, 4}));
  transform.resize = {5, 9};
  EXPECT_EQ(transform_image(gradient(7, 11), transform).sizes(), at::IntArrayRef({3, 5, 9}));
}

TEST(TransformImage, ShrinkingAveragesUnderATriangle) {
  // Halving spans four pixels with weights 1, 3, 3, 1; at the border the outermost is missing.
  const at::Tensor image = bytes({0, 80, 160, 240}, {1, 1, 4}).expand({3, 1, 4});
  ImageTransform transform = plain();
  transform.resize = {1, 2};
  const at::Tensor result = transform_image(image, transform).mul(255).round();
  EXPECT_EQ(result[0][0][0].item<float>(), 57.F);   // (3·0 + 3·80 + 1·160) / 7 = 57.1
  EXPECT_EQ(result[0][0][1].item<float>(), 183.F);  // (1·80 + 3·160 + 3·240) / 7 = 182.9
}

TEST(TransformImage, GreyComesBeforeResizing) {
  // Rounding happens twice; in the other order the result would differ in places.
  const at::Tensor image = gradient(30, 40);
  ImageTransform grey_and_small = plain(), grey = plain(), small = plain();
  grey_and_small.channels = grey.channels = 1;
  grey_and_small.resize = small.resize = {11, 13};
  const at::Tensor luma = transform_image(image, grey).mul(255).round().to(at::kByte);
  const at::Tensor expected = transform_image(luma.expand({3, 30, 40}), small).slice(0, 0, 1);
  EXPECT_TRUE(at::equal(transform_image(image, grey_and_small), expected));
}

TEST(TransformImage, CropsLargerThanTheImageAreRefused) {
  ImageTransform transform = plain();
  transform.crop = {8, 3};
  EXPECT_ERROR(transform_image(gradient(7, 11), transform),
               "crop is 8 x 3, but the image has 7 x 11 pixels");
}

TEST(ImageTransform, ValuesOutOfRangeAreRefused) {
  const auto refused = [](const std::function<void(ImageTransform&)>& change, const char* text) {
    ImageTransform transform;
    change(transform);
    EXPECT_ERROR_OF(OptionError, transform.validate(), text);
  };
  refused([](auto& t) { t.channels = 2; }, "channels is 2, expected 1 or 3");
  refused([](auto& t) { t.channels = 1; }, "mean has 3 numbers, expected 1 or one for each of 1");
  refused([](auto& t) { t.mean = {}; }, "mean has 0 numbers");
  refused([](auto& t) { t.std = {1, 2}; }, "std has 2 numbers");
  refused([](auto& t) { t.std = {0}; }, "std has a value of 0 or less");
  refused([](auto& t) { t.mean = {std::nan("")}; }, "mean is not finite");
  refused([](auto& t) { t.resize = {0}; }, "resize is 0, expected 1 to");
  refused([](auto& t) { t.crop = {1, 2, 3}; }, "crop has 3 numbers");
  EXPECT_NO_THROW(ImageTransform{}.validate());
}

}  // namespace
}  // namespace neurontune
