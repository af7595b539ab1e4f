#include "neurontune/method/spuriousness.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <limits>

#include "error_matchers.h"
#include "neurontune/method/identification.h"
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

TEST(BiasedDimensions, AllFlaggedBehindAMaskValueOverZeroLeavesAllToRetrain) {
  auto options = keeping(0);
  options.mask_value = 0.5;
  const auto result = biased_dimensions(scores_of(at::ones({1, 3})), options);
  EXPECT_EQ(result.count(), 3);
  EXPECT_TRUE(result.mask.equal(at::full({3}, 0.5f)));
}

TEST(BiasedDimensions, MaskHoldsTheMaskValueWhereBiased) {
  auto options = keeping(0);
  options.mask_value = 0.25;
  EXPECT_TRUE(biased_dimensions(scores_of(two_classes()), options)
                  .mask.equal(at::tensor({0.25f, 1.f, 0.25f, 0.25f})));
}

/// Of two_classes(): dimension 0 is significant in class 1 alone, dimension 2 in both, dimension 3
/// in class 0 alone, where its score is not over 0.
at::Tensor significant() { return at::stack({flags({0, 0, 1, 1}), flags({1, 0, 1, 0})}); }

TEST(BiasedDimensions, OnlySignificantScoresAreAggregated) {
  const auto scores = scores_of(two_classes());
  const auto biased = [&](Aggregate aggregate) {
    return biased_dimensions(scores, keeping(0, aggregate), significant()).biased;
  };
  EXPECT_TRUE(biased(Aggregate::union_).equal(flags({0, 0, 1, 0})));
  EXPECT_TRUE(biased(Aggregate::intersection).equal(flags({0, 0, 1, 0})));
  EXPECT_TRUE(biased(Aggregate::mean).equal(flags({0, 0, 1, 0})))
      << "dimension 3 has a mean over 0, but is not significant in both";
  EXPECT_TRUE(
      biased(Aggregate::per_class).equal(at::stack({flags({0, 0, 1, 0}), flags({0, 0, 1, 0})})));
}

TEST(BiasedDimensions, ASignificantScoreInOneClassIsEnoughForTheUnionAlone) {
  const auto scores = scores_of(two_classes());
  const auto in_class_0 = at::stack({flags({1, 1, 1, 1}), flags({0, 0, 0, 0})});
  const auto biased = [&](Aggregate aggregate) {
    return biased_dimensions(scores, keeping(0, aggregate), in_class_0).biased;
  };
  EXPECT_TRUE(biased(Aggregate::union_).equal(flags({1, 0, 1, 0})));
  EXPECT_TRUE(biased(Aggregate::intersection).equal(flags({0, 0, 0, 0})));
  EXPECT_TRUE(biased(Aggregate::mean).equal(flags({0, 0, 0, 0})));
  EXPECT_TRUE(
      biased(Aggregate::per_class).equal(at::stack({flags({1, 0, 1, 0}), flags({0, 0, 0, 0})})));
}

TEST(BiasedDimensions, ATestChangesNothingWhereAllIsSignificant) {
  const auto scores = scores_of(two_classes());
  for (const auto aggregate :
       {Aggregate::union_, Aggregate::intersection, Aggregate::mean, Aggregate::per_class}) {
    const auto tested =
        biased_dimensions(scores, keeping(1, aggregate), at::ones({2, 4}, at::kBool));
    EXPECT_TRUE(tested.biased.equal(biased_dimensions(scores, keeping(1, aggregate)).biased));
    EXPECT_FALSE(tested.mask.isnan().any().item<bool>());
  }
}

TEST(BiasedDimensions, AQuantileIsOfAllScoresWhateverIsSignificant) {
  // Aggregated: 1, −1, 2, 4; the median is 1.5.
  auto options = keeping(0);
  options.threshold_quantile = 0.5;
  const auto only_first = at::stack({flags({1, 0, 0, 0}), flags({1, 0, 0, 0})});
  EXPECT_EQ(biased_dimensions(scores_of(two_classes()), options, only_first).count(), 0);
  EXPECT_TRUE(biased_dimensions(scores_of(two_classes()), options, significant())
                  .biased.equal(flags({0, 0, 1, 0})));
}

TEST(BiasedDimensions, KeepAtLeastBindsByWhatIsFlagged) {
  const auto result = biased_dimensions(scores_of(two_classes()), keeping(3), significant());
  EXPECT_EQ(result.count(), 1);
  EXPECT_FALSE(result.keep_at_least_binds) << "three are unflagged without it";
}

TEST(BiasedDimensions, KeepAtLeastSparesWhatIsNotSignificantFirst) {
  const auto scores = scores_of(matrix({{3.f, 9.f, 2.f, 5.f}}));
  const auto tested = flags({1, 0, 1, 1}).unsqueeze(0);
  EXPECT_TRUE(biased_dimensions(scores, keeping(2), tested).biased.equal(flags({1, 0, 0, 1})));
}

/// Dimension 1 is higher on the mistakes of both classes, dimension 0 is what the head sees, the
/// others are noise. A dimension near the boundary, 2, is high where the margin is small.
struct Tested {
  LabelledEmbeddings data;
  Head head{at::zeros({2, 60}), at::zeros({2})};

  Tested() {
    auto random = at::detail::createCPUGenerator(7);
    const auto labels = at::arange(2000).remainder(2);
    const auto conflict = at::rand({2000}, random).lt(0.15).to(at::kFloat);
    auto z = at::randn({2000, 60}, random);
    z.select(1, 0).add_((labels * 2 - 1) * (1.5 - 2 * conflict));
    z.select(1, 1).add_(conflict, 2);
    z.select(1, 2).sub_(z.select(1, 0).abs());
    data = {z, labels};
    head.weight[1][0] = 1;
  }
  Identification identified(Significance significance) const {
    auto options = keeping(0);
    options.significance = significance;
    return identify(data, head, options);
  }
};

TEST(Identification, WithSignificanceFlagsTheAttributeAndHardlyAnyNoise) {
  const Tested tested;
  const auto untested = tested.identified(Significance::none);
  EXPECT_FALSE(untested.test.has_value());
  EXPECT_GT(untested.biased.count(), 30) << "half of the noise is over 0 in one class or the other";
  for (const auto significance : {Significance::plain, Significance::given_margin}) {
    SCOPED_TRACE(name(significance));
    const auto found = tested.identified(significance);
    ASSERT_TRUE(found.test.has_value());
    EXPECT_TRUE(found.biased.biased[1].item<bool>());
    EXPECT_EQ(found.biased.biased[2].item<bool>(), significance == Significance::plain);
    EXPECT_LT(found.biased.biased.slice(0, 3).sum().item<int64_t>(), 6);
    EXPECT_TRUE(found.scores.scores.equal(untested.scores.scores));
  }
}

TEST(Identification, TheFalseDiscoveryRateIsTheTests) {
  const Tested tested;
  auto options = keeping(0);
  options.significance = Significance::plain;
  options.false_discovery_rate = 0.9;
  const auto lax = identify(tested.data, tested.head, options);
  EXPECT_GT(lax.biased.count(), tested.identified(Significance::plain).biased.count());
}

TEST(Identification, WithNothingSignificantSaysThatNothingIsFlagged) {
  auto random = at::detail::createCPUGenerator(3);
  const auto z = at::randn({200, 10}, random);
  const LabelledEmbeddings noise{z, at::randint(0, 2, {200}, random, at::kLong)};
  Head head{at::zeros({2, 10}), at::zeros({2})};
  head.weight[1][9] = 1;
  auto options = keeping(0);
  options.significance = Significance::given_margin;
  options.false_discovery_rate = 1e-6;
  options.aggregate = Aggregate::intersection;
  const auto found = identify(noise, head, options);
  EXPECT_EQ(found.biased.count(), 0);
  EXPECT_THAT(found.warnings, ::testing::Contains(::testing::HasSubstr("no dimension is flagged")));
}

TEST(Significance, HasNames) {
  EXPECT_STREQ(name(Significance::none), "none");
  EXPECT_STREQ(name(Significance::plain), "plain");
  EXPECT_STREQ(name(Significance::given_margin), "given_margin");
}

TEST(IdentificationOptions, ValuesOutOfRangeAreRefused) {
  IdentificationOptions options;
  options.mask_value = 2;
  EXPECT_ERROR_OF(OptionError, options.validate(), "mask_value is 2");
  options = {};
  options.threshold = std::numeric_limits<double>::infinity();
  EXPECT_ERROR_OF(OptionError, options.validate(), "threshold");
  options = {};
  options.false_discovery_rate = 1;
  EXPECT_ERROR_OF(OptionError, options.validate(), "false_discovery_rate is 1, expected over 0");
  options = {};
  options.strata = 0;
  EXPECT_ERROR_OF(OptionError, options.validate(), "strata is 0, expected at least 1");
  options = {};
  options.detectable_effect = 0;
  EXPECT_ERROR_OF(OptionError, options.validate(), "detectable_effect is 0, expected over 0");
  EXPECT_ERROR_OF(OptionError, biased_dimensions(scores_of(two_classes()), keeping(5)),
                  "keep_at_least is 5, the embedding has 4 dimensions");
}

}  // namespace
}  // namespace neurontune
