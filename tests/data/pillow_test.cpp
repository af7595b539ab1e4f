// Images of every kind against what Pillow makes of them; generate_images.py writes both.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "neurontune/data/image.h"
#include "neurontune/data/safetensors.h"

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
  ASSERT_GE(expected.size(), 32U);
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

}  // namespace
}  // namespace neurontune
