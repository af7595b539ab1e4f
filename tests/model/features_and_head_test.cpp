#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/model/split_model.h"
#include "neurontune/pipeline/extract.h"
#include "tensors.h"

namespace neurontune {
namespace {

/// Rows of numbers with labels, held in memory.
class Rows : public Dataset {
 public:
  explicit Rows(at::Tensor values) : values_(std::move(values)) {}

  int64_t size() const override { return values_.size(0); }
  std::vector<std::string> input_names() const override { return {"inputs"}; }
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    return {values_.slice(0, first, last)};
  }
  at::Tensor labels() const override { return at::arange(size()).remainder(2); }
  at::Tensor attributes() const override { return {}; }
  std::vector<std::string> ids() const override {
    return std::vector<std::string>(static_cast<size_t>(size()), "row");
  }
  std::string fingerprint() const override { return "rows"; }

 private:
  at::Tensor values_;
};

at::Tensor doubled(const std::vector<at::Tensor>& inputs) { return inputs.at(0) * 2; }

FeaturesAndHead model(std::string fingerprint = "step 1") {
  return {doubled, {matrix({{1.f, 0.f}, {0.f, 1.f}}), {}}, std::move(fingerprint)};
}

using FeaturesAndHeadTest = TemporaryFolderTest;

TEST_F(FeaturesAndHeadTest, IsAllThatExtractionNeedsOfAModel) {
  const auto values = at::rand({5, 2});
  DataFolder data;
  data.splits.push_back({"val", std::make_unique<Rows>(values)});
  const auto reused = [&](FeaturesAndHead split) {
    return extract_embeddings(split, data, {.batch_size = 2}, folder()).splits.at("val").reused;
  };
  EXPECT_FALSE(reused(model()));

  const auto read = EmbeddingFolder::open(folder());
  EXPECT_TRUE(read.split("val").embeddings.equal(values * 2));
  EXPECT_TRUE(read.head().weight.equal(model().head().weight));
  EXPECT_TRUE(reused(model()));
  EXPECT_FALSE(reused(model("step 2")));
  EXPECT_TRUE(predict(model(), read.head(), *data.splits[0].dataset, {.batch_size = 2})
                  .classes.equal(values.argmax(1)));
}

TEST(FeaturesAndHead, InputsAreNeverWrittenTo) {
  const FeaturesAndHead in_place([](const auto& inputs) { return inputs.at(0).mul_(3); },
                                 model().head(), "");
  const auto values = at::ones({2, 2});
  EXPECT_TRUE(in_place.features({values}).equal(values * 3));
  EXPECT_TRUE(values.equal(at::ones({2, 2})));
}

TEST(FeaturesAndHead, VerifyFindsFeaturesThatDependOnTheBatch) {
  EXPECT_EQ(model().verify({at::rand({3, 2})}).max_abs_difference, 0);
  const FeaturesAndHead centred(
      [](const auto& inputs) { return inputs.at(0) - inputs.at(0).mean(0); }, model().head(), "");
  EXPECT_ERROR(centred.verify({at::rand({3, 2})}), "other logits alone than in a batch");
}

TEST(FeaturesAndHead, FeaturesOfAnotherWidthAreNamed) {
  EXPECT_ERROR(model().features({at::rand({3, 4})}), "the head expects [N, 2]");
}

}  // namespace
}  // namespace neurontune
