#include "pipeline/open_embeddings.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "model/linear_module.h"
#include "on_device.h"
#include "tensors.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

class OpenEmbeddingsTest : public TemporaryFolderTest {
 protected:
  OpenEmbeddingsTest() { config.device = "cpu"; }

  OpenedEmbeddings open(const std::vector<std::string>& splits = {}) {
    StepClock clock(seconds);
    return open_embeddings(config, splits, folder() / "out", clock, {});
  }
  void refused(const std::string& part) { EXPECT_ERROR_OF(OptionError, open(), part); }

  /// A folder of embeddings with a head of three classes and labels of two.
  void with_embeddings() {
    fs::create_directory(folder() / "embeddings");
    config.embeddings.path = (folder() / "embeddings").string();
    write_head(folder() / "embeddings" / "head.safetensors", {at::ones({3, 2}), {}});
    write_embedding_split(config.embeddings.path, "val", at::zeros({2, 2}), longs({0, 1}));
  }

  /// A model of three classes, and a data set of two labels.
  void with_model() {
    fs::create_directories(folder() / "data");
    config.data.path = (folder() / "data").string();
    config.model.path = (folder() / "model.pt").string();
    testing_support::write_linear_model(config.model.path, at::eye(3), at::zeros(3));
    write_safetensors(folder() / "data" / "val.safetensors",
                      {{"inputs", matrix({{-1, 2, 3}, {4, -5, 6}})}, {"labels", longs({0, 1})}});
  }

  Config config;
  std::map<std::string, double> seconds;
};

TEST_F(OpenEmbeddingsTest, AModelWithDataOrEmbeddingsMustBeNamed) {
  refused("no data to run on; expected model.path and data.path, or embeddings.path");
  config.model.path = "model.pt";
  refused("no data to run on");
  config.data.path = "data";
  config.embeddings.path = "embeddings";
  refused("embeddings.path is embeddings and a model or data is given too");
  config.model.path = "";
  refused("embeddings.path is embeddings and a model or data is given too");
  config = {};
  config.embeddings.arrays = "labels=y";
  refused("embeddings.arrays is labels=y without embeddings.path; expected both or neither");
}

TEST_F(OpenEmbeddingsTest, OpensAFolderWithItsWarnings) {
  with_embeddings();
  write_safetensors(folder() / "embeddings" / "other.safetensors", {{"x", at::ones(1)}});
  const auto opened = open({"val"});
  EXPECT_FALSE(opened.model);
  EXPECT_FALSE(opened.extraction);
  EXPECT_THAT(opened.warnings,
              ElementsAre(HasSubstr("other.safetensors"), HasSubstr("the head has 3 classes")));
  EXPECT_THAT(seconds, ElementsAre(Key("load")));
}

TEST_F(OpenEmbeddingsTest, ASplitThatIsNotThereIsAnError) {
  with_embeddings();
  EXPECT_ERROR(open({"val", "train"}), "has no split `train`");
}

TEST_F(OpenEmbeddingsTest, ExtractsThoseOfAModelIntoOut) {
  with_model();
  const auto opened = open({"val"});
  EXPECT_EQ(opened.folder.path(), folder() / "out" / "embeddings");
  EXPECT_TRUE(opened.folder.split("val").embeddings.equal(matrix({{0, 2, 3}, {4, 0, 6}})));
  EXPECT_TRUE(opened.folder.head().weight.equal(at::eye(3)));
  EXPECT_TRUE(opened.model);
  EXPECT_FALSE(opened.extraction.value().splits.at("val").reused);
  EXPECT_THAT(opened.warnings, ElementsAre(HasSubstr("the head has 3 classes")));
  EXPECT_THAT(seconds, ElementsAre(Key("extract"), Key("load")));
  EXPECT_TRUE(open({"val"}).extraction.value().splits.at("val").reused);
}

TEST_F(OpenEmbeddingsTest, SplitsAreLookedForBeforeExtraction) {
  with_model();
  EXPECT_ERROR(open({"train"}), "no split train");
  EXPECT_FALSE(fs::exists(folder() / "out" / "embeddings" / "val.safetensors"));
}

TEST_F(OpenEmbeddingsTest, OutIsLookedAtBeforeTheModel) {
  with_model();
  config.model.path = "no model.pt";
  fs::create_directories(folder() / "out" / "embeddings");
  write("out/embeddings/compare.json", "{}");
  refused("compare.json");
}

LabelledEmbeddings labelled_as(at::ScalarType dtype) {
  return labelled({at::ones({1, 2}, dtype), longs({0}), {}, {}});
}

TEST(Labelled, TheMethodTakesNoDoubles) {
  EXPECT_EQ(labelled_as(at::kDouble).embeddings.scalar_type(), at::kFloat);
  for (const auto dtype : {at::kFloat, at::kHalf, at::kBFloat16})
    EXPECT_EQ(labelled_as(dtype).embeddings.scalar_type(), dtype);
}

TEST(Labelled, WhatWasRoundedIsSearchedAgainForWhatIsNotFinite) {
  EXPECT_FALSE(labelled_as(at::kDouble).known_finite) << "1e300 is infinite in float32";
  EXPECT_TRUE(labelled_as(at::kFloat).known_finite);
  EXPECT_TRUE(labelled_as(at::kHalf).known_finite);
}

class LabelledOnDevice : public OnDevice {};

TEST_P(LabelledOnDevice, LabelsAreWhereTheEmbeddingsAre) {
  const auto taken = labelled({there(matrix({{1, 2}})), longs({3}), {}, {}});
  EXPECT_EQ(taken.embeddings.device(), device());
  EXPECT_EQ(taken.labels.device(), device());
  EXPECT_TRUE(taken.embeddings.cpu().equal(matrix({{1, 2}})));
  EXPECT_TRUE(taken.labels.cpu().equal(longs({3})));
}

NEURONTUNE_ON_EVERY_DEVICE(LabelledOnDevice);

}  // namespace
}  // namespace neurontune
