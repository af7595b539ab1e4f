#include "neurontune/pipeline/extract.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "file_bytes.h"
#include "neurontune/data/embeddings.h"
#include "rows_dataset.h"
#include "tensors.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::file_bytes;

Head identity_head() { return {at::eye(2), {}}; }

/// Features are the doubled rows; batches are counted.
class CountingModel : public FeaturesAndHead {
 public:
  explicit CountingModel(std::string fingerprint = "step 1")
      : FeaturesAndHead(
            [this](const auto& inputs) {
              if (++batches == fail_at) throw Error("the power is off");
              return inputs.at(0) * 2;
            },
            identity_head(), std::move(fingerprint)) {}

  CountingModel(const CountingModel&) = delete;
  CountingModel& operator=(const CountingModel&) = delete;

  int batches = 0;
  int fail_at = 0;  ///< the batch that fails, from 1
};

class ExtractTest : public TemporaryFolderTest {
 protected:
  ExtractTest() { add("val", 20); }

  RowsDataset& add(const std::string& name, int64_t rows) {
    auto dataset = std::make_unique<RowsDataset>(counted_rows(rows, 2));
    auto& added = *dataset;
    data.splits.push_back({name, std::move(dataset)});
    return added;
  }
  RowsDataset& val() { return dynamic_cast<RowsDataset&>(*data.splits.front().dataset); }

  Extraction extract(ExtractionOptions options = {.batch_size = 2},
                     const std::string& fingerprint = "step 1") const {
    CountingModel model(fingerprint);
    return extract_embeddings(model, data, options, folder());
  }
  bool reused(ExtractionOptions options = {.batch_size = 2},
              const std::string& fingerprint = "step 1") const {
    return extract(options, fingerprint).splits.at("val").reused;
  }
  EmbeddingSplit written(const std::string& split = "val") const {
    return EmbeddingFolder::open(folder()).split(split);
  }

  at::ScalarType written_as(StoredAs stored_as) const {
    extract({.batch_size = 2, .stored_as = stored_as});
    return written().embeddings.scalar_type();
  }

  DataFolder data;
};

TEST_F(ExtractTest, WritesEverySplitAndTheHead) {
  add("test", 5);
  data.names.labels = {"land", "water"};
  const auto extraction = extract();
  EXPECT_EQ(extraction.splits.at("val").samples, 20);
  EXPECT_EQ(extraction.splits.at("test").samples, 5);
  const auto read = EmbeddingFolder::open(folder());
  EXPECT_TRUE(read.split("val").embeddings.equal(val().rows * 2));
  EXPECT_TRUE(read.split("test").embeddings.equal(counted_rows(5, 2) * 2));
  EXPECT_TRUE(read.split("val").labels.equal(val().row_labels));
  EXPECT_EQ(read.split("val").ids.at(3), "file 3");
  EXPECT_TRUE(read.head().weight.equal(at::eye(2)));
  EXPECT_EQ(read.names().label(1), "water");
}

TEST_F(ExtractTest, WhatIsThereFromTheSameIsNotComputedAgain) {
  CountingModel first, second;
  extract_embeddings(first, data, {.batch_size = 2}, folder());
  EXPECT_TRUE(
      extract_embeddings(second, data, {.batch_size = 2}, folder()).splits.at("val").reused);
  EXPECT_EQ(second.batches, first.batches - 10) << "the model is tried, and no more";
}

TEST_F(ExtractTest, AnotherModelDataSetOrOptionIsExtractedAnew) {
  extract();
  ASSERT_TRUE(reused());
  EXPECT_FALSE(reused({.batch_size = 2}, "step 2")) << "the model";
  extract();
  val().made_from = "other rows";
  EXPECT_FALSE(reused()) << "the data";
  const std::vector<std::pair<const char*, ExtractionOptions>> others = {
      {"batch size", {.batch_size = 4}},
      {"dtype", {.batch_size = 2, .stored_as = StoredAs::float16}},
      {"mixed precision", {.batch_size = 2, .mixed_precision = true}},
      {"skip_bad", {.batch_size = 2, .skip_bad = true}}};
  for (const auto& [what, options] : others) {
    extract();
    ASSERT_TRUE(reused()) << what;
    EXPECT_FALSE(reused(options)) << what;
  }
}

TEST_F(ExtractTest, OnlyTheSplitThatChangedIsExtractedAnew) {
  auto& test = add("test", 4);
  extract();
  test.made_from = "other rows";
  const auto extraction = extract();
  EXPECT_TRUE(extraction.splits.at("val").reused);
  EXPECT_FALSE(extraction.splits.at("test").reused);
}

TEST_F(ExtractTest, ADamagedSplitIsExtractedAnew) {
  extract();
  auto bytes = file_bytes(folder() / "val.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write("val.safetensors", bytes);
  EXPECT_FALSE(reused());
  EXPECT_TRUE(written().embeddings.equal(val().rows * 2));
}

TEST_F(ExtractTest, SplitsThatTheDataNoLongerHasGo) {
  add("test", 4);
  extract();
  data.splits.pop_back();
  extract();
  EXPECT_EQ(EmbeddingFolder::open(folder()).splits().count("test"), 0U);
}

TEST_F(ExtractTest, GoesOnAfterAnInterruptionToTheSameBytes) {
  CountingModel failing;
  failing.fail_at = 13;  // some are of trying the model
  EXPECT_ERROR(extract_embeddings(failing, data, {.batch_size = 2}, folder()), "the power is off");
  EXPECT_FALSE(fs::exists(folder() / "val.safetensors"));

  CountingModel model, at_once;
  EXPECT_FALSE(
      extract_embeddings(model, data, {.batch_size = 2}, folder()).splits.at("val").reused);
  extract_embeddings(at_once, data, {.batch_size = 2}, folder() / "at once");
  EXPECT_LT(model.batches, at_once.batches);
  EXPECT_EQ(file_bytes(folder() / "val.safetensors"),
            file_bytes(folder() / "at once" / "val.safetensors"));
}

TEST_F(ExtractTest, StoresTheNumbersThatWereAskedFor) {
  EXPECT_EQ(written_as(StoredAs::model), at::kFloat);
  EXPECT_EQ(written_as(StoredAs::float32), at::kFloat);
  EXPECT_EQ(written_as(StoredAs::float16), at::kHalf);
  EXPECT_EQ(written_as(StoredAs::bfloat16), at::kBFloat16);
}

TEST_F(ExtractTest, SkippedSamplesAreReportedAlsoWhenReused) {
  val().unreadable = {3, 19};
  for (const bool again : {false, true}) {
    const auto split = extract({.batch_size = 2, .skip_bad = true}).splits.at("val");
    EXPECT_EQ(split.reused, again);
    EXPECT_EQ(split.samples, 18);
    ASSERT_THAT(split.skipped, SizeIs(2));
    EXPECT_EQ(split.skipped[0].sample, "file 3");
    EXPECT_EQ(split.skipped[1].reason, "row 19 cannot be read");
  }
  EXPECT_EQ(written().labels.size(0), 18);
}

TEST_F(ExtractTest, WithoutSkippingASampleThatCannotBeReadIsAFailure) {
  val().unreadable = {3};
  EXPECT_ERROR(extract(), "row 3 cannot be read");
}

TEST_F(ExtractTest, TheModelIsTriedOnTheFirstBatchThatCanBeRead) {
  val().unreadable = {0, 1, 2, 3};
  EXPECT_EQ(extract({.batch_size = 2, .skip_bad = true}).splits.at("val").samples, 16);
  for (int64_t row = 0; row < 20; ++row) val().unreadable.insert(row);
  EXPECT_ERROR(extract({.batch_size = 2, .skip_bad = true}), "no sample of the data can be read");
}

TEST_F(ExtractTest, LabelsOutsideTheHeadsClassesAreNamedWithTheirSample) {
  val().row_labels = at::zeros({20}, at::kLong).index_fill(0, longs({7}), 2);
  EXPECT_ERROR(extract(),
               "split val: sample file 7 has label 2, the model's head has classes 0 to 1");
}

TEST_F(ExtractTest, ASplitsNameIsNoPath) {
  add("../other", 2);
  EXPECT_ERROR(extract(), "a split is named `../other`");
}

TEST_F(ExtractTest, TellsHowFarItIs) {
  CountingModel model;
  std::vector<int64_t> done;
  extract_embeddings(model, data, {.batch_size = 8}, folder(),
                     [&](std::string_view stage, int64_t rows, int64_t total) {
                       EXPECT_EQ(stage, "extract val");
                       EXPECT_EQ(total, 20);
                       done.push_back(rows);
                     });
  EXPECT_THAT(done, ElementsAre(8, 16, 20));
}

/// Its features are the small difference of two large products.
FeaturesAndHead cancelling_model() {
  const auto weight = matrix({{1.F, 2.F}, {3.F, 4.F}});
  return {[=](const auto& inputs) {
            const auto& x = inputs.at(0);
            return x.matmul(weight * 1.01) - x.matmul(weight);
          },
          identity_head(), "cancelling"};
}

TEST_F(ExtractTest, MixedPrecisionThatChangesTheFeaturesIsRefused) {
  auto model = cancelling_model();
  EXPECT_NO_THROW(extract_embeddings(model, data, {.batch_size = 20}, folder()));
  const ExtractionOptions mixed{.batch_size = 20, .mixed_precision = true};
  EXPECT_ERROR(extract_embeddings(model, data, mixed, folder()),
               "mixed precision changes the features by");
  EXPECT_ERROR(predict(model, identity_head(), val(), mixed),
               "mixed precision changes the features by");
}

/// A model of two arguments that names them in the order in which the data do not have them.
class NamedArguments : public FeaturesAndHead {
 public:
  NamedArguments()
      : FeaturesAndHead([](const auto& inputs) { return inputs.at(0) + 10 * inputs.at(1); },
                        identity_head(), "named") {}
  std::vector<ModelInput> inputs() const override {
    return {{"negative", "Tensor"}, {"inputs", "Tensor"}};
  }
};

TEST_F(ExtractTest, TensorsGoToTheArgumentsOfTheirNames) {
  data.splits.clear();
  data.splits.push_back({"val", std::make_unique<TwoInputs>(counted_rows(4, 2))});
  NamedArguments model;
  extract_embeddings(model, data, {}, folder());
  EXPECT_TRUE(written().embeddings.equal(counted_rows(4, 2) * 9));
}

TEST(Predict, IsTheClassOfTheHighestLogit) {
  const RowsDataset rows(matrix({{1, 2}, {4, 3}, {5, 6}}));
  CountingModel model;
  std::vector<int64_t> done;
  const auto predicted = predict(model, identity_head(), rows, {.batch_size = 2},
                                 [&](std::string_view stage, int64_t finished, int64_t) {
                                   EXPECT_EQ(stage, "evaluate");
                                   done.push_back(finished);
                                 });
  EXPECT_TRUE(predicted.classes.equal(longs({1, 0, 1})));
  EXPECT_TRUE(predicted.margin.equal(at::tensor({2.0, -2.0, 2.0}, at::kDouble)))
      << "of the doubled rows";
  EXPECT_THAT(done, ElementsAre(2, 3));
}

TEST(Predict, IsOfEverySample) {
  const RowsDataset rows(counted_rows(2, 2));
  EXPECT_ERROR_OF(OptionError, predict(CountingModel(), identity_head(), rows, {.skip_bad = true}),
                  "skip_bad is not possible here");
}

}  // namespace
}  // namespace neurontune
