#include "io/jpeg_encoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "io/jpeg.h"

namespace neurontune {
namespace {

TEST(JpegEncoder, AnImageIsReadBackNearlyAsItWas) {
  const auto ramp = at::arange(64, at::kFloat) * 3;
  const auto image =
      at::stack({ramp.unsqueeze(0).expand({48, 64}), at::full({48, 64}, 90, at::kFloat),
                 ramp.flip(0).unsqueeze(0).expand({48, 64})},
                2)
          .to(at::kByte)
          .contiguous();
  const auto again = decode_jpeg(encode_jpeg(image, 90));
  ASSERT_EQ(again.sizes(), image.sizes());
  EXPECT_LT((again.to(at::kInt) - image.to(at::kInt)).abs().max().item<int>(), 16);
}

TEST(JpegEncoder, ASinglePixelAndTheSameBytes) {
  const auto pixel = at::full({1, 1, 3}, 200, at::kByte);
  EXPECT_EQ(encode_jpeg(pixel, 72), encode_jpeg(pixel, 72));
  EXPECT_EQ(decode_jpeg(encode_jpeg(pixel, 72)).sizes(), pixel.sizes());
}

TEST(JpegEncoder, Base64AsInTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE\xFD"), "//79");
}

}  // namespace
}  // namespace neurontune
