#include "neurontune/method/spuriousness.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "error_matchers.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

using ::testing::ElementsAre;

/// A column of embeddings.
at::Tensor column(std::vector<float> values) { return at::tensor(values).unsqueeze(1); }

/// Scores of given values, [C, M], from one correct and one misclassified sample a class.
SpuriousnessScores scores_of(const at::Tensor& values) {
  SpuriousnessScores scores;
  scores.scores = values;
  scores.correct.assign(values.size(0), 1);
  scores.misclassified.assign(values.size(0), 1);
  return scores;
}

IdentificationOptions keeping(int64_t keep, Aggregate aggregate = Aggregate::union_) {
  IdentificationOptions options;
  options.keep_at_least = keep;
  options.aggregate = aggregate;
  return options;
}

TEST(SpuriousnessScores, AreTheMedianOfMistakesLessTheMedianOfCorrectSamples) {
  // Class 0: correct {1, 2, 9}, wrong {5, 7, 8}; class 1: correct {0}, wrong {-3}.
  const auto scores =
      spuriousness_scores(column({1, 2, 9, 5, 7, 8, 0, -3}), longs({0, 0, 0, 0, 0, 0, 1, 1}),
                          longs({0, 0, 0, 1, 1, 1, 1, 0}), 2);
  EXPECT_TRUE(scores.scores.equal(matrix({{5.f}, {-3.f}})));
  EXPECT_TRUE(scores.median_correct.equal(matrix({{2.f}, {0.f}})));
  EXPECT_TRUE(scores.median_misclassified.equal(matrix({{7.f}, {-3.f}})));
  EXPECT_THAT(scores.correct, ElementsAre(3, 1));
  EXPECT_THAT(scores.misclassified, ElementsAre(3, 1));
}

TEST(SpuriousnessScores, MedianOfEvenCountIsMeanOfMiddleTwo) {
  const auto scores = spuriousness_scores(column({4, 1, 2, 100, 0, 10}), longs({0, 0, 0, 0, 0, 0}),
                                          longs({0, 0, 0, 0, 1, 1}), 2);
  EXPECT_FLOAT_EQ(scores.median_correct[0][0].item<float>(), 3);
  EXPECT_FLOAT_EQ(scores.median_misclassified[0][0].item<float>(), 5);
}

TEST(SpuriousnessScores, MagnitudeComparesAbsoluteValues) {
  const auto scores =
      spuriousness_scores(column({-6, 2}), longs({0, 0}), longs({1, 0}), 2, Activation::magnitude);
  EXPECT_FLOAT_EQ(scores.scores[0][0].item<float>(), 4);
}

TEST(SpuriousnessScores, AClassWithoutMistakesOrCorrectSamplesIsUnusableAndScoresZero) {
  const auto scores = spuriousness_scores(column({1, 2, 3}), longs({0, 0, 1}), longs({0, 0, 0}), 3);
  EXPECT_FALSE(scores.usable(0));
  EXPECT_FALSE(scores.usable(1));
  EXPECT_FALSE(scores.usable(2));
  EXPECT_FALSE(scores.any_usable());
  EXPECT_TRUE(scores.scores.equal(at::zeros({3, 1})));
  EXPECT_TRUE(std::isnan(scores.median_misclassified[0][0].item<float>()));
  EXPECT_FLOAT_EQ(scores.median_correct[0][0].item<float>(), 1.5);
}

TEST(SpuriousnessScores, InputsThatDisagreeAreNamed) {
  const auto z = at::zeros({2, 3});
  EXPECT_ERROR(spuriousness_scores(z, longs({0}), longs({0, 0}), 2), "labels have 1 rows");
  EXPECT_ERROR(spuriousness_scores(z, longs({0, 0}), longs({0, 7}), 2),
               "predictions hold 7 in row 1, expected 0 to 1");
  EXPECT_ERROR(spuriousness_scores(column({1, NAN}), longs({0, 0}), longs({0, 0}), 2), "NaN");
}

TEST(SpuriousnessScores, BitsDoNotDependOnTheNumberOfThreads) {
  const auto z = at::randn({3000, 100});
  const auto labels = at::randint(0, 3, {3000}, at::kLong);
  const auto predicted = at::randint(0, 3, {3000}, at::kLong);
  const auto fitness = [&](int threads) {
    return with_threads(threads, [&] {
      return spuriousness_fitness(spuriousness_scores(z, labels, predicted, 3));
    });
  };
  EXPECT_EQ(fitness(1), fitness(2));
}

TEST(SpuriousnessFitness, IsTheSumOfAbsoluteScores) {
  EXPECT_DOUBLE_EQ(*spuriousness_fitness(scores_of(matrix({{1.f, -2.f}, {0.f, 0.5f}}))), 3.5);
}

TEST(SpuriousnessFitness, IsNoneWhereNoClassIsUsable) {
  auto scores = scores_of(at::zeros({2, 2}));
  scores.misclassified = {0, 0};
  EXPECT_FALSE(spuriousness_fitness(scores));
}

at::Tensor two_classes() { return matrix({{1.f, -1.f, 2.f, -3.f}, {-2.f, -1.f, 1.f, 4.f}}); }

at::Tensor flags(std::vector<int> values) { return at::tensor(values).to(at::kBool); }

TEST(BiasedDimensions, AggregatesAreOverClasses) {
  const auto scores = scores_of(two_classes());
  const auto biased = [&](Aggregate aggregate) {
    return biased_dimensions(scores, keeping(0, aggregate)).biased;
  };
  EXPECT_TRUE(biased(Aggregate::union_).equal(flags({1, 0, 1, 1})));
  EXPECT_TRUE(biased(Aggregate::intersection).equal(flags({0, 0, 1, 0})));
  EXPECT_TRUE(biased(Aggregate::mean).equal(flags({0, 0, 1, 1})));
  EXPECT_TRUE(
      biased(Aggregate::per_class).equal(at::stack({flags({1, 0, 1, 0}), flags({0, 0, 1, 1})})));
}

TEST(BiasedDimensions, AScoreOfExactlyTheThresholdIsNotBiased) {
  auto options = keeping(0);
  options.threshold = 2;
  EXPECT_TRUE(
      biased_dimensions(scores_of(two_classes()), options).biased.equal(flags({0, 0, 0, 1})));
}

TEST(BiasedDimensions, AQuantileTakesTheThresholdFromTheScores) {
  auto options = keeping(0);
  for (const auto& [quantile, flagged] : {std::pair{0.0, 3}, {0.4, 2}, {0.9, 1}, {1.0, 0}}) {
    options.threshold_quantile = quantile;
    EXPECT_EQ(biased_dimensions(scores_of(two_classes()), options).count(), flagged) << quantile;
  }
  options.threshold_quantile = 1.5;
  EXPECT_ERROR(biased_dimensions(scores_of(two_classes()), options),
               "threshold_quantile is 1.5, expected 0 to 1");
}

TEST(BiasedDimensions, UnusableClassesTakeNoPart) {
  auto scores = scores_of(two_classes());
  scores.correct[1] = 0;
  EXPECT_TRUE(biased_dimensions(scores, keeping(0)).biased.equal(flags({1, 0, 1, 0})));
  auto options = keeping(0, Aggregate::per_class);
  options.threshold = -10;
  scores.correct[1] = 0;
  options.keep_at_least = 1;
  EXPECT_TRUE(biased_dimensions(scores, options)
                  .biased.equal(at::stack({flags({1, 1, 1, 0}), flags({0, 0, 0, 0})})));
}

TEST(BiasedDimensions, NoUsableClassIsAnErrorThatSaysWhatToDo) {
  auto scores = scores_of(two_classes());
  scores.correct = {0, 0};
  EXPECT_ERROR(biased_dimensions(scores, keeping(0)), "use another split or a larger one");
}

TEST(BiasedDimensions, KeepAtLeastSparesTheSmallestScoresAndOfEqualsTheLowestIndex) {
  const auto result = biased_dimensions(scores_of(matrix({{3.f, 1.f, 2.f, 1.f}})), keeping(1));
  EXPECT_TRUE(result.biased.equal(flags({1, 0, 1, 1})));
  EXPECT_TRUE(result.keep_at_least_binds);
  EXPECT_EQ(result.count(), 3);
}

TEST(BiasedDimensions, KeepAtLeastDoesNotBindWhereEnoughAreUnflagged) {
  const auto result = biased_dimensions(scores_of(two_classes()), keeping(1));
  EXPECT_FALSE(result.keep_at_least_binds);
  EXPECT_EQ(result.count(), 3);
}

TEST(BiasedDimensions, KeepsASixteenthOrAsManyAsClassesByDefault) {
  const auto kept = [](int64_t classes, int64_t dims) {
    return dims - biased_dimensions(scores_of(at::ones({classes, dims})), {}).count();
  };
  EXPECT_EQ(kept(2, 64), 4);
  EXPECT_EQ(kept(5, 64), 5);
}

TEST(BiasedDimensions, AllFlaggedWithNothingKeptIsAnErrorThatSaysHowToGoOn) {
  EXPECT_ERROR(biased_dimensions(scores_of(at::ones({1, 3})), keeping(0)),
               "every one of the 3 dimensions");
  EXPECT_ERROR(biased_dimensions(scores_of(at::ones({1, 3})), keeping(0)), "keep_at_least");
}

TEST(BiasedDimensions, MaskHoldsTheMaskValueWhereBiased) {
  auto options = keeping(0);
  options.mask_value = 0.25;
  EXPECT_TRUE(biased_dimensions(scores_of(two_classes()), options)
                  .mask.equal(at::tensor({0.25f, 1.f, 0.25f, 0.25f})));
}

TEST(IdentificationOptions, ValuesOutOfRangeAreRefused) {
  IdentificationOptions options;
  options.mask_value = 2;
  EXPECT_ERROR_OF(OptionError, options.validate(), "mask_value is 2");
  options = {};
  options.threshold = std::numeric_limits<double>::infinity();
  EXPECT_ERROR_OF(OptionError, options.validate(), "threshold");
  EXPECT_ERROR_OF(OptionError, biased_dimensions(scores_of(two_classes()), keeping(5)),
                  "keep_at_least is 5, the embedding has 4 dimensions");
}

}  // namespace
}  // namespace neurontune
