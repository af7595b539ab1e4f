#include "pipeline/thumbnails.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

#include "data/temporary_folder.h"
#include "io/jpeg.h"
#include "rows_dataset.h"

namespace neurontune {
namespace {

using testing::StartsWith;

constexpr const char* kPrefix = "data:image/jpeg;base64,";
/// What all images of a page may take.
constexpr std::size_t kMostBytes = 2'600'000;

/// The bytes of text in base 64, digit by digit.
std::string bytes_of(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char digit : text) {
    if (digit == '=') break;
    bits = bits << 6U | static_cast<unsigned>(digits.find(digit));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return bytes;
}

/// The image of a data URI: uint8 [H, W, 3].
at::Tensor shown(const std::string& uri) {
  EXPECT_THAT(uri, StartsWith(kPrefix));
  return decode_jpeg(bytes_of(uri.substr(std::string(kPrefix).size())));
}

int brightness(const at::Tensor& pixels) { return pixels.to(at::kFloat).mean().item().toInt(); }

/// Images in the split train, in the order in which a test adds them.
class ThumbnailsTest : public TemporaryFolderTest {
 protected:
  void add(const at::Tensor& image) {
    const auto name = std::to_string(count++) + ".png";
    write_png(folder() / name, image);
    rows += name + ",0,train\n";
  }
  void add_grey(int64_t height, int64_t width, int value = 100) {
    add(at::full({3, height, width}, value, at::kByte));
  }

  const Dataset& dataset() {
    write("metadata.csv", rows);
    data = open_data(folder(), {});
    return data.split("train");
  }

  /// Of the only image, the height and the width that are shown.
  std::vector<int64_t> shown_size(int64_t height, int64_t width) {
    count = 0;
    rows = kHead;
    add_grey(height, width);
    return shown(Thumbnails(&dataset()).of(0)).sizes().slice(0, 2).vec();
  }

  static constexpr const char* kHead = "img_filename,y,split\n";
  int64_t count = 0;
  std::string rows = kHead;
  DataFolder data;
};

TEST_F(ThumbnailsTest, AreOfTheSampleThatIsAskedFor) {
  for (const int value : {40, 200, 120}) add_grey(8, 8, value);
  Thumbnails thumbnails(&dataset());
  EXPECT_NEAR(brightness(shown(thumbnails.of(1))), 200, 2);
  EXPECT_NEAR(brightness(shown(thumbnails.of(2))), 120, 2);
  EXPECT_NEAR(brightness(shown(thumbnails.of(0))), 40, 2);
}

TEST_F(ThumbnailsTest, TheLongerSideIsAtMost96Pixels) {
  using Size = std::vector<int64_t>;
  EXPECT_EQ(shown_size(96, 50), (Size{96, 50})) << "as it is";
  EXPECT_EQ(shown_size(97, 50), (Size{96, 49}));
  EXPECT_EQ(shown_size(100, 200), (Size{48, 96}));
  EXPECT_EQ(shown_size(200, 101), (Size{96, 48})) << "48.48 is rounded";
  EXPECT_EQ(shown_size(192, 99), (Size{96, 50})) << "and 49.5";
  EXPECT_EQ(shown_size(2, 1000), (Size{1, 96})) << "a pixel at least";
}

TEST_F(ThumbnailsTest, AllOfTheImageIsShownTheRightWayRound) {
  auto image = at::zeros({3, 200, 400}, at::kByte);
  image.slice(1, 0, 100).slice(2, 0, 100).fill_(255);
  image[0].slice(0, 100, 200).fill_(200);
  add(image);
  const auto pixels = shown(Thumbnails(&dataset()).of(0));
  EXPECT_EQ(pixels.sizes(), (std::vector<int64_t>{48, 96, 3}));
  const auto block = [&](int64_t top, int64_t left) {
    return pixels.slice(0, top + 4, top + 20).slice(1, left + 4, left + 20);
  };
  EXPECT_NEAR(brightness(block(0, 0)), 255, 3) << "white";
  EXPECT_NEAR(brightness(block(0, 72)), 0, 3) << "black";
  EXPECT_NEAR(brightness(block(24, 72).select(2, 0)), 200, 6) << "red";
  EXPECT_NEAR(brightness(block(24, 72).slice(2, 1)), 0, 6);
}

TEST_F(ThumbnailsTest, WhatIsNoImageHasNone) {
  const RowsDataset numbers(counted_rows(2, 3));
  EXPECT_EQ(Thumbnails(&numbers).of(0), "");
  EXPECT_EQ(Thumbnails(nullptr).of(0), "");
}

TEST_F(ThumbnailsTest, AnImageThatCannotBeReadIsLeftOut) {
  add_grey(8, 8);
  add_grey(8, 8);
  const auto& images = dataset();
  write("0.png", "no image");
  Thumbnails thumbnails(&images);
  EXPECT_EQ(thumbnails.of(0), "");
  EXPECT_THAT(thumbnails.of(1), StartsWith(kPrefix));
}

TEST_F(ThumbnailsTest, AnImageIsShownAsItWasFirstRead) {
  add_grey(8, 8);
  Thumbnails thumbnails(&dataset());
  const auto uri = thumbnails.of(0);
  std::filesystem::remove(folder() / "0.png");
  EXPECT_EQ(thumbnails.of(0), uri);
  EXPECT_THAT(uri, StartsWith(kPrefix));
}

TEST_F(ThumbnailsTest, APageHasRoomForSoManyBytesRepeatedOnesToo) {
  auto random = at::detail::createCPUGenerator(1);
  add(at::randint(0, 256, {3, 96, 96}, random, at::kByte));
  add_grey(1, 1);
  Thumbnails thumbnails(&dataset());
  const auto large = thumbnails.of(0).size(), small = thumbnails.of(1).size();
  ASSERT_GT(large, small);
  const auto fitting = (kMostBytes - small) / large;
  for (std::size_t given = 1; given < fitting; ++given)
    ASSERT_EQ(thumbnails.of(0).size(), large) << given;
  EXPECT_EQ(thumbnails.of(0), "") << "of " << large << " bytes, after " << fitting;
  const bool has_room = small + fitting * large + small <= kMostBytes;
  EXPECT_EQ(thumbnails.of(1).size(), has_room ? small : 0) << "smaller ones may still fit";
}

}  // namespace
}  // namespace neurontune
