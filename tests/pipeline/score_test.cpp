#include "neurontune/pipeline/score.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "pipeline/score_json.h"
#include "straight_accuracy.h"
#include "straight_medians.h"
#include "tensors.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two classes in three dimensions, told apart by the first dimension; the second fires on the
/// mistakes of class 0 and the third, with negative numbers, on those of class 1.
class ScoreTest : public TemporaryFolderTest {
 protected:
  ScoreTest() {
    config = resolve_config("", {{"--recipe", "recipe", "paper"},
                                 {"--device", "device", "cpu"},
                                 {"--keep", "identify.keep_at_least", "1"},
                                 {"--embeddings", "embeddings.path", folder().string()}});
    write_head(folder() / "head.safetensors", {matrix({{-1, 0, 0}, {1, 0, 0}}), {}});
    write_embedding_split(folder(), "val", embeddings, labels);
  }

  at::Tensor embeddings = matrix({{-1, 1, 0},
                                  {-2, 2, 0},
                                  {3, 9, 1},  // a mistake of class 0
                                  {2, 7, 1},  // and another
                                  {1, 1, 5},
                                  {2, 2, 6},
                                  {-3, 1, 8},    // a mistake of class 1
                                  {-4, 0, 9}});  // and another
  at::Tensor labels = longs({0, 0, 0, 0, 1, 1, 1, 1});
  Config config;
};

TEST_F(ScoreTest, ScoresAreDifferencesOfMedians) {
  const auto outcome = score(config);
  // Of class 0: 2.5 − −1.5, 8 − 1.5, 1 − 0; of class 1: −3.5 − 1.5, 0.5 − 1.5, 8.5 − 5.5.
  EXPECT_TRUE(outcome.scores.scores.equal(matrix({{4, 6.5, 1}, {-5, -1, 3}})));
  EXPECT_DOUBLE_EQ(outcome.sfit.value(), 4 + 6.5 + 1 + 5 + 1 + 3);
  EXPECT_FALSE(outcome.test);
}

TEST_F(ScoreTest, TheStrongestComeFirstWithTheClassOfTheirScore) {
  config.identify.threshold = 3.5;
  const auto strongest = score(config).strongest;
  ASSERT_EQ(strongest.size(), 2U) << "only what is flagged";
  EXPECT_EQ(strongest[0].index, 1);
  EXPECT_EQ(strongest[0].score, 6.5);
  EXPECT_EQ(strongest[0].label, 0);
  EXPECT_EQ(strongest[1].index, 0);
  EXPECT_EQ(strongest[1].score, 4);
}

TEST_F(ScoreTest, SamplesAreThoseThatActivateADimensionMost) {
  config.identify.threshold = 2;
  EXPECT_THAT(score(config, 2).strongest.at(0).samples, ElementsAre("row 2", "row 3"));
  write("val.ids.txt", "a\nb\nc\nd\ne\nf\ng\nh\n");
  EXPECT_THAT(score(config, 2).strongest.at(0).samples, ElementsAre("c", "d"));
  EXPECT_EQ(score(config, 99).strongest.at(0).samples.size(), 8U) << "no more than there are";
}

TEST_F(ScoreTest, UnderMagnitudeNegativeNumbersActivateToo) {
  write_embedding_split(folder(), "val", embeddings * at::tensor({1.F, -1.F, 1.F}), labels);
  config.identify.threshold = 5;
  config.identify.activation = Activation::magnitude;
  const auto outcome = score(config, 2);
  EXPECT_EQ(outcome.strongest.at(0).index, 1);
  EXPECT_THAT(outcome.strongest.at(0).samples, ElementsAre("row 2", "row 3"));
}

TEST_F(ScoreTest, UnderPerClassADimensionHasTheScoreOfTheClassThatFlagsIt) {
  config.identify.threshold = 2;
  config.identify.aggregate = Aggregate::per_class;
  const auto strongest = score(config).strongest;
  ASSERT_EQ(strongest.size(), 3U);
  EXPECT_EQ(strongest[2].index, 2);
  EXPECT_EQ(strongest[2].label, 1);
  EXPECT_EQ(strongest[2].score, 3);
}

TEST_F(ScoreTest, ItIsThePartThatSplitsIdentifyNames) {
  config.splits.identify = "val:1/2";
  const auto part = score(config);
  const std::vector<int64_t> one_each = {1, 1};
  EXPECT_EQ(part.scores.correct, one_each);
  EXPECT_EQ(part.scores.misclassified, one_each);
}

TEST_F(ScoreTest, EveryWarningComesAlong) {
  write_head(folder() / "head.safetensors", {matrix({{-1, 0, 0}, {1, 0, 0}, {-9, 0, -99}}), {}});
  write_safetensors(folder() / "other.safetensors", {{"x", at::ones(1)}});
  const auto warnings = score(config).warnings;
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("other.safetensors")));
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("the head has 3 classes")));
}

TEST_F(ScoreTest, RefusesWhatItCannotScore) {
  config.embeddings.path = "";
  EXPECT_ERROR_OF(OptionError, score(config), "embeddings.path is empty");
  config.embeddings.path = folder().string();
  config.splits.identify = "test";
  EXPECT_ERROR(score(config), "has no split `test`");
  config.identify.mask_value = 2;
  EXPECT_ERROR_OF(OptionError, score(config), "mask_value is 2");
}

TEST_F(ScoreTest, JsonHoldsTheSame) {
  config.identify.threshold = 3.5;
  const auto json = score_json(score(config, 1));
  EXPECT_EQ(json.at("scores").dump(), "[[4.0,6.5,1.0],[-5.0,-1.0,3.0]]");
  EXPECT_EQ(json.at("sfit"), 20.5);
  EXPECT_EQ(json.at("biased_dimensions").at("indices").dump(), "[0,1]");
  EXPECT_EQ(json.at("strongest").at(0).dump(),
            R"({"dimension":1,"score":6.5,"label":0,"samples":["row 2"]})");
  EXPECT_EQ(json.at("classes").at(0).at("misclassified"), 2);
  EXPECT_FALSE(json.contains("mistake_test"));
}

TEST_F(ScoreTest, TheTestIsThereWhereSignificanceIsAskedFor) {
  write_world(folder());
  config.identify.significance = Significance::plain;
  const auto outcome = score(config);
  EXPECT_TRUE(outcome.test);
  EXPECT_TRUE(score_json(outcome).contains("mistake_test"));
}

TEST_F(ScoreTest, OfAWorldScoresAreThoseOfSortingEachClass) {
  write_world(folder());
  const auto world = world_with_shortcut(2, 300);
  const auto scores = score(config).scores.scores;
  const auto predicted = at::tensor(straight_predictions(world.erm, world.embeddings));
  for (int64_t label = 0; label < 2; ++label) {
    const auto median = [&](const at::Tensor& where) {
      const auto rows = world.labels.eq(label).logical_and(where).nonzero().squeeze(1);
      return straight_medians(world.embeddings, rows, Activation::raw);
    };
    const auto expected = median(predicted.ne(label)) - median(predicted.eq(label));
    EXPECT_TRUE(scores[label].allclose(expected, 0, 1e-6)) << label;
  }
}

}  // namespace
}  // namespace neurontune
