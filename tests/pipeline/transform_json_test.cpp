// transform.json as it is written by hand, by timm and by Hugging Face.

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {
namespace {

using Sides = std::vector<int64_t>;

class TransformJsonTest : public TemporaryFolderTest {
 protected:
  TransformJsonTest() { write("metadata.csv", ""); }

  ImageTransform transform(const std::string& json, std::vector<SettingFlag> flags = {}) const {
    write("transform.json", json);
    flags.push_back({"--data", "data.path", folder().string()});
    return resolve_config("", flags).data.transform;
  }
  void refused(const std::string& json, const std::string& part) const {
    SCOPED_TRACE(json);
    EXPECT_ERROR_OF(OptionError, transform(json), part);
  }
};

TEST_F(TransformJsonTest, InterpolationIsAPillowNameOrNumber) {
  EXPECT_EQ(transform("{}").interpolation, Interpolation::bilinear);
  for (const char* value : {"\"lanczos\"", "\"LANCZOS\"", "1"}) {
    EXPECT_EQ(transform(R"({"interpolation": )" + std::string(value) + "}").interpolation,
              Interpolation::lanczos);
  }
  EXPECT_EQ(transform(R"({"interpolation": 3})",
                      {{"--interpolation", "data.transform.interpolation", "box"}})
                .interpolation,
            Interpolation::box);
  refused(R"({"interpolation": "cubic"})", "transform.json: interpolation is \"cubic\", expected");
  refused(R"({"interpolation": 6})", "interpolation is 6, expected nearest, bilinear, bicubic");
}

TEST_F(TransformJsonTest, FaultyJsonIsToldWhatIsWrong) {
  refused("{\"resize\": [64]} // short side", "transform.json: is not JSON: it has a comment");
  refused(std::string("\xFF\xFE{\0}\0", 6), "transform.json: is UTF-16 text, expected UTF-8");
  refused("{\"resize\": [64],}", "is not JSON: parse error at line 1");
  refused(R"({"size_of": 3})", "unknown key data.transform.size_of");
}

TEST_F(TransformJsonTest, TimmsDataConfigIsApplied) {
  const auto given = transform(R"({"input_size": [3, 224, 224], "interpolation": "bicubic",
      "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop_pct": 0.9, "crop_mode": "center"})");
  EXPECT_EQ(given.channels, 3);
  EXPECT_EQ(given.resize, Sides({248}));  // floor(224 / 0.9)
  EXPECT_EQ(given.crop, Sides({224, 224}));
  EXPECT_EQ(given.interpolation, Interpolation::bicubic);
  EXPECT_EQ(given.mean, std::vector<double>({0.5, 0.5, 0.5}));
  const auto squashed =
      transform(R"({"input_size": [3, 160, 320], "crop_pct": 1, "crop_mode": "squash"})");
  EXPECT_EQ(squashed.resize, Sides({160, 320}));
  EXPECT_EQ(transform(R"({"input_size": [3, 224, 224]})").resize, Sides({256}))
      << "0.875 is timm's";
  EXPECT_EQ(transform(R"({"crop_pct": 0.95})").resize, Sides({235})) << "of the usual crop, 224";
  EXPECT_EQ(transform(R"({"crop": [96], "crop_pct": 1.0})").resize, Sides({96}));
  refused(R"({"input_size": [3, 160, 320]})", "input_size is [3,160,320], expected a square");
  refused(R"({"input_size": [224, 224]})", "expected a list of 3 whole numbers");
  refused(R"({"crop_pct": 0})", "crop_pct is 0, expected over 0 to 1");
  refused(R"({"crop_pct": 1, "crop_mode": "border"})", "crop_mode is \"border\", expected center");
  refused(R"({"crop_pct": 1, "resize": [224]})", "unknown key resize");
  refused(R"({"crop_pct": 1, "num_classes": 2})", "unknown key num_classes");
}

TEST_F(TransformJsonTest, HuggingFacesPreprocessorConfigIsApplied) {
  const auto vit = transform(R"({"do_normalize": true, "do_rescale": true, "do_resize": true,
      "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2,
      "image_processor_type": "ViTFeatureExtractor", "rescale_factor": 0.00392156862745098,
      "size": {"height": 224, "width": 224}})");
  EXPECT_EQ(vit.resize, Sides({224, 224}));
  EXPECT_EQ(vit.crop, Sides{});
  EXPECT_EQ(vit.interpolation, Interpolation::bilinear);
  const auto clip = transform(R"({"crop_size": 224, "do_center_crop": true, "do_normalize": true,
      "do_resize": true, "feature_extractor_type": "CLIPFeatureExtractor", "size": 224,
      "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28], "resample": 3})");
  EXPECT_EQ(clip.resize, Sides({224}));
  EXPECT_EQ(clip.crop, Sides({224}));
  EXPECT_EQ(clip.interpolation, Interpolation::bicubic);
  EXPECT_EQ(clip.std, std::vector<double>({0.27, 0.26, 0.28}));
  const auto convnext = transform(R"({"image_processor_type": "ConvNextImageProcessor",
      "crop_pct": 0.875, "do_resize": true, "size": {"shortest_edge": 224}, "resample": 3,
      "image_mean": [0.5], "image_std": [0.5]})");
  EXPECT_EQ(convnext.resize, Sides({256}));
  EXPECT_EQ(convnext.crop, Sides({224}));
  const auto plain = transform(R"({"do_resize": false, "do_normalize": false, "crop_size": null,
      "do_center_crop": null, "device": null, "do_convert_rgb": true})");
  EXPECT_EQ(plain.resize, Sides{});
  EXPECT_EQ(plain.mean, std::vector<double>({0}));
}

TEST_F(TransformJsonTest, WhatOfHuggingFacesCannotBeAppliedIsRefusedByName) {
  const auto with = [](const std::string& more) {
    return R"({"size": {"shortest_edge": 224}, "resample": 3, "image_mean": [0.5], "image_std": [0.5])" +
           more + "}";
  };
  EXPECT_NO_THROW(transform(with("")));
  refused(with(R"(, "do_rescale": false)"), "do_rescale is false, expected true");
  refused(with(R"(, "rescale_factor": 0.00784)"), "rescale_factor is 0.00784, expected 1/255");
  refused(with(R"(, "do_pad": true)"), "do_pad is true, expected false or null");
  refused(with(R"(, "image_processor_type": "LevitImageProcessor")"),
          "image_processor_type is \"LevitImageProcessor\", expected the ImageProcessor of ViT");
  refused(with(R"(, "crop_pct": 0.9)"), "crop_pct is 0.9, expected none but of a ConvNext");
  refused(with(R"(, "mean": [0.5])"), "unknown key mean");
  refused(R"({"size": 224, "resample": 3, "image_mean": [0.5], "image_std": [0.5]})",
          R"(size is 224, expected {"shortest_edge": S})");
  refused(R"({"size": {"longest_edge": 9}, "resample": 3})", "unknown key longest_edge");
  refused(R"({"size": {"shortest_edge": 9}})", "transform.json: resample is missing");
  refused(R"({"do_resize": true})", "transform.json: size is missing");
}

}  // namespace
}  // namespace neurontune
