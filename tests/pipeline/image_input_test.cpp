#include "pipeline/image_input.h"

#include <ATen/ATen.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Three grey-valued RGB images of 16 x 16 pixels in train.
class ImageInputTest : public TemporaryFolderTest {
 protected:
  ImageInputTest() {
    std::filesystem::create_directory(folder() / "photos");
    std::string rows = "img_filename,y,split\n";
    for (const auto* name : {"a.png", "b.png", "c.png"}) {
      write_png(folder() / "photos" / name, at::full({3, 16, 16}, 100, at::kByte));
      rows += std::string(name) + ",0,train\n";
    }
    write("photos/metadata.csv", rows);
    config.model.path = (folder() / "model.pt").string();
    config.data.path = (folder() / "photos").string();
  }

  DataFolder data() const { return open_data(config.data.path, config.data.transform); }

  /// A model that flattens images of channels x side x side.
  static FeaturesAndHead flattening(int64_t channels, int64_t side) {
    return {[=](const std::vector<at::Tensor>& inputs) {
              const auto flat = inputs.at(0).flatten(1);
              if (flat.size(1) != channels * side * side) throw Error("shapes disagree");
              return flat.narrow(1, 0, 2).contiguous();
            },
            {at::eye(2), {}},
            "flattening"};
  }

  /// One that takes any size of three channels.
  static FeaturesAndHead pooling(int64_t least = 1) {
    return {[=](const std::vector<at::Tensor>& inputs) {
              if (inputs.at(0).size(1) != 3) throw Error("channels disagree");
              if (inputs.at(0).size(2) < least) throw Error("too small");
              return inputs.at(0).mean({2, 3}).narrow(1, 0, 2).contiguous();
            },
            {at::eye(2), {}},
            "pooling"};
  }

  void run(const SplitModel& model) const {
    with_size_advice(model, data(), config,
                     [&] { predict(model, model.head(), *data().splits.front().dataset); });
  }

  Config config;
};

TEST_F(ImageInputTest, TheErrorSaysWhichSizeTheModelTakes) {
  EXPECT_ERROR(run(flattening(3, 32)),
               "shapes disagree; the images are 3 x 224 x 224 after preprocessing, and the model "
               "takes 32 x 32, of the sizes that were tried: --resize 32,32 --crop 32");
  EXPECT_ERROR(run(flattening(1, 28)),
               "takes 28 x 28 with 1 channel, of the sizes that were tried: --resize 28,28 --crop "
               "28 --channels 1, and one value of --mean and --std");
}

TEST_F(ImageInputTest, OrWhichChannels) {
  config.data.transform.channels = 1;
  config.data.transform.mean = config.data.transform.std = {0.5};
  EXPECT_ERROR(run(pooling()),
               "channels disagree; the images are 1 x 224 x 224 after preprocessing, and the model "
               "takes 3 channels: --channels 3");
}

TEST_F(ImageInputTest, OfSeveralSizesAllAreNamed) {
  EXPECT_ERROR(run(pooling(299)),
               "takes 299 x 299, 384 x 384, of the sizes that were tried: "
               "--resize 299,299 --crop 299");
}

TEST_F(ImageInputTest, WhatIsNotKnownIsNotSaid) {
  for (const auto& model : {flattening(3, 31), flattening(3, 224)}) {
    try {
      with_size_advice(model, data(), config, [] { throw Error("the disk is full"); });
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "the disk is full");
    }
  }
}

TEST_F(ImageInputTest, ErrorsThatHaveNothingToDoWithItKeepTheirKind) {
  EXPECT_ERROR_OF(OptionError,
                  with_size_advice(pooling(), data(), config, [] { throw OptionError("no"); }),
                  "no");
}

TEST_F(ImageInputTest, ImagesThatAreEnlargedForAModelThatPoolsAreWarnedOf) {
  EXPECT_THAT(enlargement_warnings(pooling(), data(), config),
              ElementsAre(AllOf(HasSubstr("images of 16 x 16 pixels are enlarged 16.0 times"),
                                HasSubstr("--resize 16,16 --crop 16"))));
  EXPECT_THAT(enlargement_warnings(pooling(32), data(), config), IsEmpty()) << "it needs larger";
  EXPECT_THAT(enlargement_warnings(flattening(3, 224), data(), config), IsEmpty());
  config.data.transform.resize = {32};
  config.data.transform.crop = {32};
  EXPECT_THAT(enlargement_warnings(pooling(), data(), config), IsEmpty()) << "twice is not over";
  config.data.transform.resize = {};
  EXPECT_THAT(enlargement_warnings(pooling(), data(), config), IsEmpty());
}

TEST_F(ImageInputTest, OtherPreprocessingThanTheModelsIsWarnedOf) {
  EXPECT_THAT(transform_warnings(config), IsEmpty());
  write("transform.json", R"({"resize": [256], "crop": [224]})");
  EXPECT_THAT(transform_warnings(config), IsEmpty());
  write("transform.json", R"({"resize": [32, 32], "crop": [224]})");
  EXPECT_THAT(transform_warnings(config),
              ElementsAre(AllOf(HasSubstr("images are preprocessed otherwise than "),
                                HasSubstr("transform.json beside the model says: resize is [256], "
                                          "there [32,32]"))));
  config.data.path.clear();
  EXPECT_THAT(transform_warnings(config), IsEmpty()) << "no images";
}

TEST_F(ImageInputTest, SamplesOfTensorsAreNoImages) {
  EXPECT_TRUE(image_manifest(config));
  std::filesystem::remove(folder() / "photos" / "metadata.csv");
  EXPECT_FALSE(image_manifest(config));
}

}  // namespace
}  // namespace neurontune
