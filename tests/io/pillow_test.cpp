// Images of every kind against what Pillow makes of them; generate_images.py writes both.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/image_formats.h"
#include "neurontune/base/error.h"
#include "neurontune/data/image.h"
#include "neurontune/io/safetensors.h"

namespace neurontune {
namespace {

const std::filesystem::path kFolder = NEURONTUNE_TEST_IMAGES;

/// Compares values of one 8-bit step each.
void expect_close(const at::Tensor& ours, const at::Tensor& pillows) {
  ASSERT_EQ(ours.sizes(), pillows.sizes());
  const at::Tensor difference = (ours.to(at::kDouble) - pillows.to(at::kDouble)).abs();
  EXPECT_LE(difference.max().item<double>(), 1.001);
  EXPECT_LT(difference.mean().item<double>(), 0.02);
}

TEST(Pillow, ImagesOfEveryKindAreDecodedAndPreparedTheSame) {
  const auto expected = read_safetensors(kFolder / "expected.safetensors");
  ASSERT_GE(expected.size(), 2 * 50U);
  const at::Tensor step = at::tensor({0.229, 0.224, 0.225}, at::kDouble).view({3, 1, 1}) * 255;
  for (const auto& [name, tensor] : expected) {
    SCOPED_TRACE(name);
    const auto file = name.substr(0, name.find(':'));
    const at::Tensor image = decode_image(kFolder / file);
    if (name.ends_with(":decoded")) {
      expect_close(image, tensor);
    } else {
      expect_close(transform_image(image, ImageTransform{}) * step, tensor * step);
    }
  }
}

TEST(Pillow, EveryFilterResizesTheSame) {
  const auto expected = read_safetensors(kFolder / "resized.safetensors");
  const at::Tensor image = decode_image(kFolder / "rgb.png");
  for (const auto interpolation :
       {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic,
        Interpolation::lanczos, Interpolation::box, Interpolation::hamming}) {
    SCOPED_TRACE(name(interpolation));
    const at::Tensor& pillows = expected.at(name(interpolation));
    const ImageTransform transform{
        3, {pillows.size(1), pillows.size(2)}, {}, {0}, {1}, interpolation};
    expect_close(transform_image(image, transform) * 255, pillows);
  }
}

TEST(Pillow, LoadingDecodesNoLessThanTheTransformNeeds) {
  int64_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".safetensors") continue;
    const at::Tensor image = decode_image(entry.path());
    for (const std::vector<int64_t>& resize :
         {std::vector<int64_t>{}, {64}, {256}, {300}, {96, 200}, {200, 96}}) {
      for (const std::vector<int64_t>& crop :
           {std::vector<int64_t>{}, {8}, {64}, {40, 90}, {224}}) {
        ImageTransform transform;
        // The widest filter; of a JPEG alone a part is decoded.
        const bool is_jpeg = entry.path().extension() == ".jpg";
        transform.interpolation = is_jpeg ? Interpolation::lanczos : Interpolation::bilinear;
        transform.resize = resize;
        transform.crop = crop;
        try {
          const auto whole = transform_image(image, transform);
          EXPECT_TRUE(load_image(entry.path(), transform).equal(whole))
              << entry.path() << " resized to " << resize << ", cropped to " << crop;
          ++compared;
        } catch (const Error&) {  // the crop is larger than the image
        }
      }
    }
  }
  EXPECT_GT(compared, 300);
}

TEST(Pillow, FilesThatEndEarlyAreRefusedWhateverTheirFormat) {
  for (const char* name : {"lossy.webp", "animated.webp", "plain.gif", "raw.tif", "tiff_lzw.tif",
                           "jpeg.tiff", "rgb.bmp", "rgb.png", "baseline.jpg"}) {
    std::ifstream file(kFolder / name, std::ios::binary);
    const std::string whole(std::istreambuf_iterator<char>(file), {});
    ASSERT_GT(whole.size(), 1000U) << name;
    for (const double part : {0.002, 0.02, 0.3, 0.6}) {
      const auto size = static_cast<size_t>(part * static_cast<double>(whole.size()));
      EXPECT_THROW(static_cast<void>(decode_pixels(whole.substr(0, size), {})), Error)
          << size << " bytes of " << name;
    }
  }
}

}  // namespace
}  // namespace neurontune
