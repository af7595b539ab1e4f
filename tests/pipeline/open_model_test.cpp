#include "neurontune/pipeline/open_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "model/linear_module.h"
#include "tensors.h"

namespace neurontune {
namespace {

class OpenModelTest : public TemporaryFolderTest {
 protected:
  OpenModelTest() {
    config.device = "cpu";
    config.model.path = (folder() / "model.pt").string();
    testing_support::write_linear_model(config.model.path, matrix({{1, 2}, {3, 4}}), at::ones(2));
  }
  Config config;
};

TEST_F(OpenModelTest, LoadsTheModelToTheDeviceWithItsHead) {
  const auto model = open_model(config);
  EXPECT_EQ(model.device(), at::Device(at::kCPU));
  EXPECT_EQ(model.head_name(), "fc");
  EXPECT_TRUE(model.head().weight.equal(matrix({{1, 2}, {3, 4}})));
  EXPECT_TRUE(model.features({matrix({{-1, 5}})}).equal(matrix({{0, 5}})));
}

TEST_F(OpenModelTest, TheHeadAndTheOutputAreThoseThatTheConfigNames) {
  config.model.head = "classifier";
  EXPECT_ERROR(open_model(config), "classifier");
  config.model.head = "fc";
  config.model.output = "logits";
  EXPECT_ERROR(open_model(config), "logits");
}

TEST_F(OpenModelTest, OperatorsAreLoadedBeforeTheModel) {
  config.model.path = (folder() / "no model.pt").string();
  config.model.preload_lib = "no library.so";
  EXPECT_ERROR(open_model(config), "no library.so");
  config.model.preload_lib = std::string(NEURONTUNE_TEST_OPERATORS) + ",no library.so";
  EXPECT_ERROR(open_model(config), "no library.so");
  config.model.preload_lib = std::string(",") + NEURONTUNE_TEST_OPERATORS + ",";
  EXPECT_ERROR(open_model(config), "no model.pt");
}

TEST_F(OpenModelTest, EmbeddingsAreReadByTheNamesOfTheConfig) {
  write_head(folder() / "head.safetensors", {at::ones({2, 3}), {}});
  write_safetensors(folder() / "val.safetensors",
                    {{"feats", at::zeros({2, 3})}, {"labels", longs({0, 1})}});
  config.embeddings.path = folder().string();
  EXPECT_THROW(open_configured_embeddings(config), Error);
  config.embeddings.arrays = "embeddings=feats";
  EXPECT_EQ(open_configured_embeddings(config).split("val").embeddings.size(1), 3);
  config.embeddings.arrays = "embedings=feats";
  EXPECT_ERROR_OF(OptionError, open_configured_embeddings(config), "embedings");
}

TEST_F(OpenModelTest, ImagesThatAreMissingAreKeptWhereBadOnesAreSkipped) {
  config.data.path = folder().string();
  write("metadata.csv", "img_id,img_filename,y,split\n0,none.png,0,0\n");
  EXPECT_ERROR(open_configured_data(config), "none.png");
  config.data.extraction.skip_bad = true;
  EXPECT_EQ(open_configured_data(config).split("train").size(), 1);
}

}  // namespace
}  // namespace neurontune
