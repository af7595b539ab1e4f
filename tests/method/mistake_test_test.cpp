#include "neurontune/method/mistake_test.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>

#include "error_matchers.h"
#include "method/flagging.h"
#include "on_device.h"
#include "oracle_cases.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

using ::testing::ElementsAre;

/// p values can be far below the largest: each within a billionth of its own size.
testing::AssertionResult near_in_proportion(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.allclose(expected, 1e-9, 0)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "found\n" << actual << "\nexpected\n" << expected;
}

void expect_same_test(const NullTest& test, const OracleCase& expected, const std::string& null) {
  SCOPED_TRACE(null);
  EXPECT_TRUE(near_in_proportion(test.p_values.cpu(), expected.tensor(null + "_p_values")));
  EXPECT_TRUE(test.effects.cpu().allclose(expected.tensor(null + "_effects"), 0, 1e-12));
  EXPECT_TRUE(same(test.significant.cpu(), expected.tensor(null + "_significant")));
  EXPECT_TRUE(near_in_proportion(at::tensor(test.minimal_effects, at::kDouble),
                                 expected.tensor(null + "_minimal_effects")));
  const std::vector<int64_t> verdicts(expected.integers(null + "_verdicts"));
  for (std::size_t label = 0; label < verdicts.size(); ++label)
    EXPECT_EQ(static_cast<int64_t>(test.verdicts.at(label)), verdicts[label]) << "class " << label;
}

class MistakeTestOracleOnDevice : public OnDevice {};

TEST_P(MistakeTestOracleOnDevice, IsScipys) {
  const auto cases = oracle_cases("mistake_test");
  ASSERT_GE(cases.size(), 40U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto test =
        test_mistakes({there(expected.tensor("embeddings")), there(expected.tensor("labels"))},
                      there(Head{expected.tensor("weight"), expected.tensor("bias")}),
                      {expected.number("false_discovery_rate"), expected.integer("strata"),
                       expected.number("detectable_effect")});
    EXPECT_EQ(test.plain.p_values.device(), device());
    EXPECT_EQ(test.correct, expected.integers("correct"));
    EXPECT_EQ(test.misclassified, expected.integers("misclassified"));
    expect_same_test(test.plain, expected, "plain");
    expect_same_test(test.given_margin, expected, "given_margin");
  }
}

NEURONTUNE_ON_EVERY_DEVICE(MistakeTestOracleOnDevice);

/// A head of two classes that sees dimension 0 alone, which is over 0 for class 1.
Head head_on_first(int64_t dims) {
  Head head{at::zeros({2, dims}), at::Tensor()};
  head.weight[0][0] = -1;
  head.weight[1][0] = 1;
  return head;
}

constexpr int64_t kHead = 0, kHardness = 1, kAttribute = 2, kFirstOfNoise = 3;

/// Two classes that dimension 0 tells apart, except where an attribute is against the label. One
/// dimension is higher the closer a sample is to the boundary, one carries the attribute, and the
/// others are noise.
struct World {
  at::Tensor embeddings, labels;
  Head erm;

  explicit World(uint64_t seed = 1, int64_t samples = 3000, int64_t dims = 100,
                 double conflicts = 0.15)
      : erm(head_on_first(dims)) {
    auto random = at::detail::createCPUGenerator(seed);
    labels = at::randint(0, 2, {samples}, random, at::kLong);
    const auto conflict = at::rand({samples}, random).lt(conflicts).to(at::kFloat);
    embeddings = at::randn({samples, dims}, random);
    embeddings.select(1, kHead).add_((labels * 2 - 1) * (1.5 - 2 * conflict));
    embeddings.select(1, kHardness).sub_(embeddings.select(1, kHead).abs());
    embeddings.select(1, kAttribute).add_(conflict, 2);
  }
  LabelledEmbeddings data() const { return {embeddings, labels}; }
  MistakeTest test(const MistakeTestOptions& options = {}) const {
    return test_mistakes(data(), erm, options);
  }
};

bool significant(const NullTest& test, int64_t label, int64_t dimension) {
  return test.significant[label][dimension].item<bool>();
}

TEST(MistakeTest, EffectIsTheShareOfPairsWhoseMistakeIsHigherLessTheOthers) {
  // Class 0, in dimension 1: mistakes {5, 2}, correct {1, 2, 4}: 4 of 6 pairs higher, one tied.
  const auto test =
      test_mistakes({matrix({{1, 5}, {1, 2}, {-1, 1}, {-1, 2}, {-1, 4}}), longs({0, 0, 0, 0, 0})},
                    head_on_first(2));
  EXPECT_DOUBLE_EQ(test.plain.effects[0][1].item<double>(), 0.5);
  EXPECT_DOUBLE_EQ(test.plain.effects[0][0].item<double>(), 1);
  EXPECT_THAT(test.correct, ElementsAre(3, 0));
  EXPECT_THAT(test.misclassified, ElementsAre(2, 0));
}

TEST(MistakeTest, GivenTheMarginHardnessIsNoFindingAndAnAttributeStillIs) {
  const auto test = World().test();
  for (const int64_t label : {0, 1}) {
    EXPECT_TRUE(significant(test.plain, label, kHardness));
    EXPECT_FALSE(significant(test.given_margin, label, kHardness));
    EXPECT_TRUE(significant(test.plain, label, kAttribute));
    EXPECT_TRUE(significant(test.given_margin, label, kAttribute));
  }
}

TEST(MistakeTest, NoMarginClearsADimensionThatTheHeadUses) {
  // Without an attribute: mistakes of class 0 are those of its samples that are high in it.
  const auto test = World(1, 3000, 100, /*conflicts=*/0).test();
  EXPECT_TRUE(significant(test.plain, 0, kHead));
  EXPECT_TRUE(significant(test.given_margin, 0, kHead));
  EXPECT_FALSE(significant(test.plain, 1, kHead)) << "there they are low, which is not tested";
}

TEST(MistakeTest, NoiseIsRarelyFound) {
  double plain = 0, given_margin = 0;
  const int seeds = 20;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto test = World(seed, 500, 300).test();
    for (const int64_t label : {0, 1}) {
      const auto false_share = [&](const NullTest& null) {
        const auto found = null.significant[label];
        const auto noise = found.slice(0, kFirstOfNoise).sum().item<double>();
        return noise / std::max(1.0, found.sum().item<double>());
      };
      plain += false_share(test.plain) / (2 * seeds);
      given_margin += false_share(test.given_margin) / (2 * seeds);
    }
  }
  EXPECT_LT(plain, 0.08) << "the false discovery rate, of 0.05";
  EXPECT_LT(given_margin, 0.08);
}

TEST(MistakeTest, PValuesOfNoiseAreUniform) {
  const auto test = World(1, 1000, 20000).test();
  for (const auto* null : {&test.plain, &test.given_margin}) {
    const auto noise = null->p_values.slice(1, kFirstOfNoise);
    for (const double level : {0.01, 0.05, 0.5, 0.95}) {
      const double expected_error = std::sqrt(level * (1 - level) / 40000);
      EXPECT_NEAR(noise.le(level).to(at::kDouble).mean().item<double>(), level, 6 * expected_error);
    }
  }
}

/// The plain test of 2000 samples of class 1, of which the first are mistakes. They are low in the
/// head's dimension, and high in one more unless all the others are noise.
NullTest with_mistakes(int64_t mistakes, bool noise_only) {
  auto random = at::detail::createCPUGenerator(3);
  auto embeddings = at::randn({2000, 50}, random);
  auto sign = at::full({2000}, 1.f);
  sign.slice(0, 0, mistakes).fill_(-1);
  embeddings.select(1, 0).copy_(embeddings.select(1, 0).abs() * sign);
  if (!noise_only) embeddings.slice(0, 0, mistakes).select(1, 1).add_(3);
  return test_mistakes({embeddings, at::ones({2000}, at::kLong)}, head_on_first(50)).plain;
}

TEST(MistakeTest, ThreeMistakesAreUndecidedAndManyAreNot) {
  EXPECT_EQ(with_mistakes(3, true).verdicts[1], Verdict::undecided);
  EXPECT_GT(with_mistakes(3, true).minimal_effects[1], 1);
  EXPECT_EQ(with_mistakes(200, true).verdicts[1], Verdict::none);
  EXPECT_EQ(with_mistakes(200, false).verdicts[1], Verdict::found);
}

TEST(MistakeTest, TheMinimalEffectIsFoundWithItsPower) {
  // Two normal populations whose distance gives the effect: r = 2 Φ(d/√2) − 1.
  const double effect = with_mistakes(200, true).minimal_effects[1];
  const double distance =
      std::sqrt(2.0) *
      at::special_ndtri(at::scalar_tensor((effect + 1) / 2, at::kDouble)).item<double>();
  auto random = at::detail::createCPUGenerator(4);
  auto embeddings = at::randn({2000, 50 * 40}, random);
  embeddings.slice(0, 0, 200).add_(distance);
  embeddings.select(1, 0).fill_(1).slice(0, 0, 200).fill_(-1);
  const auto test =
      test_mistakes({embeddings, at::ones({2000}, at::kLong)}, head_on_first(50 * 40));
  const auto passed = test.plain.p_values[1].le(0.05 / 50).to(at::kDouble);
  EXPECT_NEAR(passed.slice(0, 1).mean().item<double>(), 0.8, 0.04);
}

TEST(MistakeTest, ClassesWithNothingToCompareAreUndecided) {
  // Class 0 has no mistake, class 1 no correct sample, class 2 no sample.
  Head head{at::zeros({3, 2}), at::tensor({1.f, 0.f, 0.f})};
  const auto test = test_mistakes({at::randn({40, 2}), at::arange(40).remainder(2)}, head);
  for (const auto* null : {&test.plain, &test.given_margin}) {
    EXPECT_THAT(null->verdicts,
                ElementsAre(Verdict::undecided, Verdict::undecided, Verdict::undecided));
    EXPECT_TRUE(null->p_values.equal(at::ones({3, 2}, at::kDouble)));
    EXPECT_TRUE(null->effects.equal(at::zeros({3, 2}, at::kDouble)));
    EXPECT_TRUE(std::isinf(null->minimal_effects[0]));
  }
  EXPECT_THAT(test.misclassified, ElementsAre(0, 20, 0));
}

TEST(MistakeTest, StrataOfOneKindDecideNothing) {
  // The mistakes are the closest to the boundary, and fill two of four strata.
  const auto test =
      test_mistakes({at::tensor({1.f, 2.f, 3.f, 4.f, -5.f, -6.f, -7.f, -8.f}).unsqueeze(1),
                     longs({0, 0, 0, 0, 0, 0, 0, 0})},
                    head_on_first(1), {0.05, 4, 0.5});
  EXPECT_DOUBLE_EQ(test.plain.effects[0][0].item<double>(), 1);
  EXPECT_DOUBLE_EQ(test.given_margin.effects[0][0].item<double>(), 0);
  EXPECT_DOUBLE_EQ(test.given_margin.p_values[0][0].item<double>(), 1);
  EXPECT_EQ(test.given_margin.verdicts[0], Verdict::undecided);
}

TEST(MistakeTest, SeveralLayersOfAHeadCountByTheirLogits) {
  World world;
  const auto linear = world.test();
  auto later = std::make_shared<LaterLayers>();
  later->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>&) {
    return hidden.relu();  // the same predictions and distances: logits are −s and s
  };
  later->classes = 2;
  world.erm.later_layers = later;
  const auto deep = world.test();
  EXPECT_TRUE(deep.plain.p_values.equal(linear.plain.p_values));
  EXPECT_TRUE(deep.given_margin.p_values.equal(linear.given_margin.p_values));
}

TEST(MistakeTest, BitsDoNotDependOnTheNumberOfThreads) {
  const World world;
  const auto p_values = [&](int threads) {
    return with_threads(threads, [&] {
      const auto test = world.test();
      return at::cat({test.plain.p_values, test.given_margin.p_values, test.plain.effects,
                      test.given_margin.effects});
    });
  };
  EXPECT_TRUE(p_values(1).equal(p_values(2)));
}

TEST(MistakeTest, WhatOtherDevicesSortGivesTheSame) {
  const World world;
  auto tied = world.data();
  tied.embeddings = (tied.embeddings * 2).round();
  for (const auto& data : {world.data(), tied})
    for (const auto activation : {Activation::raw, Activation::magnitude}) {
      MistakeTestOptions options;
      options.activation = activation;
      const RankedSplit sorted(data, 2, activation, /*sorted=*/true);
      const auto test = test_mistakes(data, sorted, world.erm, options);
      const auto expected = test_mistakes(data, world.erm, options);
      EXPECT_TRUE(test.plain.p_values.equal(expected.plain.p_values));
      EXPECT_TRUE(test.given_margin.p_values.equal(expected.given_margin.p_values));
      EXPECT_TRUE(test.given_margin.effects.equal(expected.given_margin.effects));
      EXPECT_EQ(test.misclassified, expected.misclassified);
    }
}

TEST(MistakeTest, RefusesWhatItCannotUse) {
  const World world;
  EXPECT_ERROR_OF(OptionError, world.test({0, 5, 0.5}), "false_discovery_rate is 0");
  EXPECT_ERROR_OF(OptionError, world.test({1, 5, 0.5}), "false_discovery_rate is 1");
  EXPECT_ERROR_OF(OptionError, world.test({0.05, 0, 0.5}), "strata is 0, expected at least 1");
  EXPECT_ERROR_OF(OptionError, world.test({0.05, 5, 1.5}), "detectable_effect is 1.5");
  EXPECT_ERROR(test_mistakes({at::ones({5, 3}), at::zeros({5}, at::kLong)}, world.erm),
               "the held-out split: embeddings are float32 [5, 3]");
}

TEST(MistakeTest, VerdictsHaveNames) {
  EXPECT_STREQ(name(Verdict::found), "found");
  EXPECT_STREQ(name(Verdict::none), "none");
  EXPECT_STREQ(name(Verdict::undecided), "undecided");
}

}  // namespace
}  // namespace neurontune
