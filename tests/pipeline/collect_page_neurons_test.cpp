#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/collect_page.h"
#include "pipeline/page_of_run.h"
#include "tensors.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using CollectPageNeuronsTest = PageOfRunTest;

std::vector<int64_t> dimensions_of(const std::vector<PageData::Neuron>& neurons, bool biased) {
  std::vector<int64_t> dimensions;
  for (const auto& neuron : neurons)
    if (neuron.biased == biased) dimensions.push_back(neuron.dimension);
  return dimensions;
}

std::vector<int64_t> classes_of(const PageData& page, int64_t dimension) {
  std::vector<int64_t> classes;
  for (const auto& neuron : page.neurons)
    if (neuron.dimension == dimension)
      for (const auto& of_class : neuron.classes) classes.push_back(of_class.label);
  return classes;
}

TEST_F(CollectPageNeuronsTest, NeuronsAreTheFiveHighestFlaggedThenTheFiveLowestKept) {
  hold_out(at::zeros({3, 13}), {0, 1, 2});
  erm = by_largest(3, 13);
  found.scores = scores_of(matrix({{.1F, .9F, .2F, .3F, .4F, .5F, .6F, -1, 0, 0, 0, -.5F, .1F},
                                   {.8F, 0, 0, 0, 0, 0, 0, 0, -.7F, .9F, -.2F, 0, .1F},
                                   {0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, -9}}),
                           {1, 1, 0});
  found.biased = flags_of(at::arange(13).lt(7));
  const auto neurons = collect().neurons;
  ASSERT_EQ(neurons.size(), 10U);
  EXPECT_TRUE(neurons[4].biased);
  EXPECT_THAT(dimensions_of(neurons, true), ElementsAre(1, 0, 6, 5, 4)) << "class 2 does not count";
  EXPECT_THAT(dimensions_of(neurons, false), ElementsAre(7, 8, 11, 10, 9));
}

TEST_F(CollectPageNeuronsTest, ANeuronThatIsFlaggedForAnyClassIsFlagged) {
  hold_out(at::zeros({2, 3}), {0, 1});
  erm = by_sign(3);
  found.scores = scores_of(matrix({{0, 1, 2}, {0, 3, 1}}), {1, 1});
  found.biased = flags_of(matrix({{0, 0, 1}, {0, 1, 0}}));
  const auto neurons = collect().neurons;
  EXPECT_THAT(dimensions_of(neurons, true), ElementsAre(1, 2));
  EXPECT_THAT(dimensions_of(neurons, false), ElementsAre(0));
}

TEST_F(CollectPageNeuronsTest, WithoutAUsableClassThereIsNothingToShowOfNeurons) {
  hold_out(at::zeros({2, 1}), {0, 1});
  const auto page = collect();
  EXPECT_THAT(page.neurons, IsEmpty());
  EXPECT_THAT(page.scores, IsEmpty());
}

/// Two classes and a dimension that the ERM head does not see, 1, with the activations of a test.
/// The selected head predicts the other class.
class CollectPageActivationsTest : public PageOfRunTest {
 protected:
  CollectPageActivationsTest() {
    erm = by_sign(2);
    tuned = {-erm.weight, {}};
    found.scores = scores_of(at::zeros({2, 2}), {1, 1});
    flag(true);
  }
  void flag(bool flagged) { found.biased = flags_of(longs({0, flagged ? 1 : 0})); }

  void activate(const std::vector<int64_t>& labels, const std::vector<int64_t>& predictions,
                const std::vector<float>& activations) {
    hold_out(at::stack({longs(predictions).to(at::kFloat) - 0.5, at::tensor(activations)}, 1),
             labels);
  }

  PageData::Neuron neuron() {
    for (auto& one : collect().neurons)
      if (one.dimension == 1) return one;
    ADD_FAILURE() << "it is not shown";
    return {};
  }
};

/// 20 bins of which some hold samples.
std::vector<int64_t> bins(const std::vector<std::pair<std::size_t, int64_t>>& counts) {
  std::vector<int64_t> all(20, 0);
  for (const auto& [bin, count] : counts) all[bin] = count;
  return all;
}

TEST_F(CollectPageActivationsTest, AreCountedInTwentyBinsOfEachClass) {
  activate({0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, {0, 0, 0, 0, 1, 1, 1, 1, 0, 1},
           {0, 0.5F, 19.5F, 20, 1, 7.25F, 7.75F, 20, 15, -5});
  const auto shown = neuron();
  EXPECT_TRUE(shown.biased);
  ASSERT_EQ(shown.classes.size(), 2U);
  const auto& first = shown.classes[0];
  EXPECT_EQ(first.label, 1);
  EXPECT_EQ(first.score, 20);
  EXPECT_EQ(first.low, -5);
  EXPECT_EQ(first.high, 15);
  EXPECT_EQ(first.misclassified, bins({{19, 1}}));
  EXPECT_EQ(first.correct, bins({{0, 1}}));
  const auto& second = shown.classes[1];
  EXPECT_EQ(second.label, 0);
  EXPECT_EQ(second.median_misclassified, 7.5);
  EXPECT_EQ(second.median_correct, 10);
  EXPECT_EQ(second.score, -2.5);
  EXPECT_EQ(second.low, 0);
  EXPECT_EQ(second.high, 20);
  EXPECT_EQ(second.misclassified, bins({{1, 1}, {7, 2}, {19, 1}}));
  EXPECT_EQ(second.correct, bins({{0, 2}, {19, 2}}));
}

TEST_F(CollectPageActivationsTest, TheSamplesThatActivateANeuronMostAreShown) {
  activate({0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, {0, 0, 0, 0, 1, 1, 1, 1, 0, 1},
           {0, 0.5F, 19.5F, 20, 1, 7.25F, 7.75F, 20, 15, -5});
  EXPECT_EQ(ids_of(neuron().samples), row_names({3, 7, 2, 8, 6, 5, 4, 1}));
}

TEST_F(CollectPageActivationsTest, OfAKeptNeuronTheClassesComeThatItFiresHigherOnWhenCorrect) {
  activate({0, 0, 1, 1}, {0, 1, 0, 1}, {0, 3, 1, 2});
  EXPECT_EQ(classes_of(collect(), 1), (std::vector<int64_t>{0, 1}));
  flag(false);
  EXPECT_EQ(classes_of(collect(), 1), (std::vector<int64_t>{1, 0}));
}

TEST_F(CollectPageActivationsTest, EqualOnesAreAllInTheFirstBin) {
  activate({0, 0, 0}, {0, 1, 1}, {2.5F, 2.5F, 2.5F});
  const auto shown = neuron();
  ASSERT_EQ(shown.classes.size(), 1U) << "class 1 has no samples";
  EXPECT_EQ(shown.classes[0].low, 2.5);
  EXPECT_EQ(shown.classes[0].high, 2.5);
  EXPECT_EQ(shown.classes[0].misclassified, bins({{0, 2}}));
  EXPECT_EQ(shown.classes[0].correct, bins({{0, 1}}));
}

TEST_F(CollectPageActivationsTest, ByMagnitudeHaveNoSign) {
  config.identify.activation = Activation::magnitude;
  activate({0, 0, 1}, {0, 1, 1}, {-3, 2, 2.5F});
  const auto shown = neuron();
  EXPECT_EQ(ids_of(shown.samples), row_names({0, 2, 1}));
  ASSERT_EQ(shown.classes.size(), 1U);
  EXPECT_EQ(shown.classes[0].score, -1);
  EXPECT_EQ(shown.classes[0].low, 2);
  EXPECT_EQ(shown.classes[0].high, 3);
}

TEST_F(CollectPageNeuronsTest, ANeuronShowsTheFourClassesWhereItsScoreIsStrongest) {
  const std::vector<float> scores = {1, 5, -3, 4, 2, 3};
  const auto classes = at::eye(6), activations = at::tensor(scores).unsqueeze(1);
  hold_out(at::cat({at::cat({classes, at::zeros({6, 1})}, 1),
                    at::cat({classes.roll(1, 1), activations}, 1)}),
           {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
  erm = by_largest(6, 7);
  auto of_run = at::zeros({6, 7});
  of_run.select(1, 6).fill_(-1);
  found.scores = scores_of(of_run, {1, 0, 1, 1, 1, 1});
  found.biased = flags_of(at::arange(7).eq(6));
  EXPECT_EQ(classes_of(collect(), 6), (std::vector<int64_t>{3, 5, 4, 0})) << "1 is not usable";
  found.biased = flags_of(at::zeros({7}));
  EXPECT_EQ(classes_of(collect(), 6), (std::vector<int64_t>{2, 0, 4, 5}));
}

TEST_F(CollectPageNeuronsTest, ACurveHasTheScoresOfAUsableClassByRank) {
  hold_out(at::zeros({2, 3}), {0, 1});
  erm = by_sign(3);
  found.scores = scores_of(matrix({{0, 0, 9}, {1, 3, 2}}), {0, 1});
  found.biased = flags_of(longs({0, 1, 1}));
  config.identify.threshold = 2;
  const auto scores = collect().scores;
  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(scores[0].label, 1);
  EXPECT_EQ(scores[0].over_threshold, 1) << "2 is not over 2";
  EXPECT_THAT(scores[0].by_rank, ElementsAre(Pair(1, 3), Pair(2, 2), Pair(3, 1)));
}

TEST_F(CollectPageNeuronsTest, OfManyDimensionsACurveHasEvenlySpacedRanks) {
  hold_out(at::zeros({2, 500}), {0, 1});
  erm = by_sign(500);
  // 7 and 500 have no common divisor: every number below 500 once.
  const auto scores = (at::arange(500) * 7).remainder(500).to(at::kFloat);
  found.scores = scores_of(scores.expand({2, 500}), {1, 0});
  found.biased = flags_of(scores.gt(450));
  config.identify.threshold = 450;
  const auto curve = collect().scores.at(0);
  EXPECT_EQ(curve.over_threshold, 49) << "though few of them are points";
  ASSERT_EQ(curve.by_rank.size(), 120U);
  EXPECT_THAT(curve.by_rank.front(), Pair(1, 499));
  EXPECT_THAT(curve.by_rank.back(), Pair(500, 0));
  for (std::size_t i = 1; i < curve.by_rank.size(); ++i) {
    const auto [rank, score] = curve.by_rank[i];
    EXPECT_EQ(score, static_cast<double>(500 - rank));
    const auto gap = rank - curve.by_rank[i - 1].first;
    EXPECT_TRUE(gap == 4 || gap == 5) << gap;
  }
}

TEST_F(CollectPageNeuronsTest, ASingleDimensionIsACurveOfOnePoint) {
  hold_out(at::zeros({2, 1}), {0, 1});
  found.scores = scores_of(matrix({{0.5F}, {0}}), {1, 0});
  found.biased = flags_of(longs({1}));
  EXPECT_THAT(collect().scores.at(0).by_rank, ElementsAre(Pair(1, 0.5)));
}

TEST_F(CollectPageNeuronsTest, EightClassesHaveCurvesThoseWithTheMostMistakes) {
  hold_out(at::zeros({1, 10}), {0});
  erm = by_largest(10, 10);
  found.scores = scores_of(at::zeros({10, 10}), {5, 1, 9, 0, 7, 6, 4, 3, 2, 10});
  found.biased = flags_of(at::zeros({10}));
  std::vector<int64_t> labels;
  for (const auto& curve : collect().scores) labels.push_back(curve.label);
  EXPECT_EQ(labels, (std::vector<int64_t>{0, 2, 4, 5, 6, 7, 8, 9}));
}

/// Two usable classes of three dimensions.
class CollectPageThresholdTest : public PageOfRunTest {
 protected:
  CollectPageThresholdTest() {
    hold_out(at::zeros({2, 3}), {0, 1});
    erm = by_sign(3);
    found.scores = scores_of(matrix({{0, 0.5F, 1}, {0.75F, 0.125F, 0.25F}}), {1, 1});
    config.identify.threshold = -4;
    config.identify.threshold_quantile = 0.5;
  }
  double threshold(Aggregate aggregate, const at::Tensor& flagged) {
    config.identify.aggregate = aggregate;
    found.biased = flags_of(flagged);
    return collect().threshold;
  }
};

TEST_F(CollectPageThresholdTest, IsTheOneThatIsSet) {
  config.identify.threshold_quantile = std::nullopt;
  config.identify.threshold = 0.3;
  EXPECT_EQ(threshold(Aggregate::union_, longs({1, 0, 1})), 0.3);
}

TEST_F(CollectPageThresholdTest, OfAQuantileIsTheLowestScoreThatIsFlagged) {
  EXPECT_EQ(threshold(Aggregate::union_, longs({1, 0, 1})), 0.75);
  EXPECT_EQ(threshold(Aggregate::intersection, longs({0, 1, 1})), 0.125);
  EXPECT_EQ(threshold(Aggregate::per_class, long_matrix({{0, 1, 0}, {0, 0, 1}})), 0.25);
}

TEST_F(CollectPageThresholdTest, TheLowestScoreThatAQuantileFlagsCountsAsOverIt) {
  found.biased = flags_of(longs({1, 0, 1}));
  const auto scores = collect().scores;
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(scores[0].over_threshold, 1);  // 1 of 0, 0.5, 1
  EXPECT_EQ(scores[1].over_threshold, 1);  // 0.75, the threshold itself
}

TEST_F(CollectPageThresholdTest, OfAQuantileThatFlagsNothingIsTheHighestScore) {
  EXPECT_EQ(threshold(Aggregate::union_, at::zeros({3})), 1);
  EXPECT_EQ(threshold(Aggregate::intersection, at::zeros({3})), 0.25);
}

TEST_F(CollectPageThresholdTest, WithoutAUsableClassIsTheOneThatIsSet) {
  found.scores.misclassified = {0, 0};
  EXPECT_EQ(threshold(Aggregate::union_, at::zeros({3})), -4);
}

}  // namespace
}  // namespace neurontune
