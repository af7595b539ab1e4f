#include "neurontune/shortcut/rebalanced_retraining.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "error_matchers.h"
#include "neurontune/metrics/group_accuracy.h"
#include "oracle_cases.h"
#include "tensors.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

Head fit(const LabelledEmbeddings& tuning, const at::Tensor& weights, const at::Tensor& mask,
         const Head& like, const RebalancingOptions& options = {}, const at::Tensor& effects = {}) {
  return RebalancedRetrainer(tuning, like, options).fit(weights, mask, effects);
}

/// How far a head may be off, in proportion to its largest weight. In float32 the loss is flat by
/// rounding while the parameters are still off, the more so the smaller the penalty.
double allowed(const OracleCase& expected) {
  if (expected.tensor("embeddings").scalar_type() == at::kDouble) return 1e-6;
  return std::max(3e-3, 5e-5 / expected.number("penalty"));
}

Head fitted(const OracleCase& expected) {
  const auto embeddings = expected.tensor("embeddings");
  Head like;
  like.weight = at::zeros({expected.integer("classes"), embeddings.size(1)}, embeddings.options());
  if (expected.has("bias"))
    like.bias = at::zeros({expected.integer("classes")}, embeddings.options());
  RebalancingOptions options;
  options.penalty = expected.number("penalty");
  options.iterations = 5000;
  options.tolerance = embeddings.scalar_type() == at::kDouble ? 1e-10 : 1e-7;
  at::Tensor effects;
  if (expected.has("effects")) {
    effects = expected.tensor("effects");
    options.attribute_penalty = expected.number("attribute_penalty");
  }
  return fit({embeddings, expected.tensor("labels")}, expected.tensor("weights"),
             expected.tensor("mask"), like, options, effects);
}

TEST(Oracle, RebalancingWeightsAreTheFormulas) {
  for (const OracleCase& expected : oracle_cases("rebalancing")) {
    SCOPED_TRACE(expected.name);
    EXPECT_TRUE(close(rebalancing_weights(expected.tensor("labels"), expected.tensor("beliefs"),
                                          expected.integer("classes")),
                      expected.tensor("weights")));
  }
}

TEST(Oracle, RebalancedRetrainingFindsTheMinimumThatNewtonFinds) {
  const auto cases = oracle_cases("rebalancing");
  ASSERT_GE(cases.size(), 60U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto head = fitted(expected);
    EXPECT_EQ(head.weight.scalar_type(), expected.tensor("embeddings").scalar_type());
    const double within = allowed(expected);
    EXPECT_TRUE(close_within(head.weight.to(at::kDouble), expected.tensor("weight"), within));
    ASSERT_EQ(head.bias.defined(), expected.has("bias"));
    if (head.bias.defined()) {
      EXPECT_TRUE(close_within(head.bias.to(at::kDouble), expected.tensor("bias"), within));
    }
  }
}

TEST(Oracle, RebalancedRetrainingOfTwoClassesIsScikitLearnsLogisticRegression) {
  int64_t compared = 0;
  for (const OracleCase& expected : oracle_cases("rebalancing")) {
    if (!expected.has("sklearn_weight")) continue;
    SCOPED_TRACE(expected.name);
    const auto head = fitted(expected);
    const double within = allowed(expected);
    EXPECT_TRUE(
        close_within(head.weight.to(at::kDouble), expected.tensor("sklearn_weight"), within));
    if (head.bias.defined()) {
      EXPECT_TRUE(close_within(head.bias.to(at::kDouble), expected.tensor("sklearn_bias"), within));
    }
    ++compared;
  }
  EXPECT_GE(compared, 10);
}

TEST(RebalancingWeights, GroupsCountAlikeHoweverManySamplesTheyHave) {
  const auto labels = longs({0, 0, 0, 0, 1, 1});
  const auto beliefs = at::one_hot(longs({0, 0, 0, 1, 0, 1}), 2);
  const double third = 1.0 / 12, all = 1.0 / 4;
  EXPECT_TRUE(rebalancing_weights(labels, beliefs.to(at::kFloat), 2)
                  .allclose(at::tensor({third, third, third, all, all, all}, at::kDouble)));
}

TEST(RebalancingWeights, AGroupOfLessThanASampleDoesNotCountAsAWholeOne) {
  // The second value has a tenth of a sample in all.
  const auto beliefs = at::tensor({0.9, 0.1, 1.0, 0.0}, at::kDouble).view({2, 2});
  EXPECT_TRUE(rebalancing_weights(longs({0, 0}), beliefs, 1)
                  .allclose(at::tensor({(0.9 / 1.9 + 0.1) / 2, 1 / 1.9 / 2}, at::kDouble)));
}

at::Tensor group_weights(const World& world) {
  return rebalancing_weights(world.labels, at::one_hot(world.attributes, 2).to(at::kDouble), 2);
}

Head retrained(const World& world, const RebalancingOptions& options = {}) {
  return fit(world.data(), group_weights(world), at::ones({40}), world.erm, options);
}

double worst_group_accuracy(const Head& head, const World& test) {
  return group_metrics(predictions(head, test.embeddings), test.labels, test.attributes, 2, 2)
      .worst_group_accuracy;
}

TEST(RebalancedRetraining, RepairsTheWorstGroup) {
  const auto world = world_with_shortcut(1, 10000), test = world_with_shortcut(2, 10000);
  EXPECT_LT(worst_group_accuracy(world.erm, test), 0.05);
  EXPECT_GT(worst_group_accuracy(retrained(world), test), 0.8);  // 0.84 at best: Φ(1)
}

TEST(RebalancedRetraining, WeightsArePlacedOnASumOfOne) {
  const auto world = world_with_shortcut();
  const auto scaled = fit(world.data(), group_weights(world) * 1000, at::ones({40}), world.erm);
  EXPECT_TRUE(scaled.weight.allclose(retrained(world).weight, 1e-4, 1e-5));
}

TEST(RebalancedRetraining, AMaskedDimensionIsNotUsedAndAShrunkenOneLess) {
  const auto world = world_with_shortcut();
  auto mask = at::ones({40});
  mask[0] = 0.2;
  mask[1] = 0;
  const auto head = fit(world.data(), group_weights(world), mask, world.erm);
  EXPECT_TRUE(head.weight.select(1, 1).equal(at::zeros({2})));
  const auto use = [](const Head& of) { return std::abs(of.weight[1][0].item<double>()); };
  EXPECT_GT(use(head), 0);
  EXPECT_LT(use(head), 0.9 * use(retrained(world)));
}

TEST(RebalancingWeights, OfInferredGroupsAreThoseOfTheirBeliefs) {
  const auto world = world_with_shortcut();
  const auto groups = infer_groups(world.data(), predictions(world.erm, world.embeddings), 2);
  EXPECT_TRUE(rebalancing_weights(world.data(), groups)
                  .equal(rebalancing_weights(world.labels, groups.beliefs(world.data()), 2)));
}

/// How far the logits of the two classes part where the embedding moves along the attribute.
double use_of_attribute(const Head& head) {
  const auto difference = head.weight[1] - head.weight[0];
  return (difference[1] + difference[2]).item<double>();
}

TEST(RebalancedRetraining, ALogitThatFollowsAnEffectCosts) {
  const auto world = world_with_shortcut();
  const auto weights = at::ones({3000}, at::kDouble);
  auto effect = at::zeros({1, 40}, at::kDouble);
  effect[0][1] = effect[0][2] = 5;  // what the attribute does
  const auto use = [&](double penalty) {
    RebalancingOptions options;
    options.attribute_penalty = penalty;
    return use_of_attribute(fit(world.data(), weights, at::ones({40}), world.erm, options, effect));
  };
  const double free = use(0);
  EXPECT_GT(free, 0.5);
  EXPECT_LT(use(0.1), 0.6 * free);
  EXPECT_NEAR(use(1000), 0, 1e-3);
  EXPECT_EQ(free, use_of_attribute(fit(world.data(), weights, at::ones({40}), world.erm)));
}

TEST(RebalancedRetraining, DoesNotDependOnTheHeadItReplaces) {
  auto world = world_with_shortcut();
  const auto before = retrained(world).weight;
  world.erm.weight = at::full({2, 40}, 5.f);
  world.erm.bias = at::full({2}, -3.f);
  EXPECT_TRUE(retrained(world).weight.equal(before));
  EXPECT_TRUE(world.erm.weight.equal(at::full({2, 40}, 5.f))) << "nor changes it";
}

TEST(RebalancedRetraining, EachFitFindsTheSameMinimumWhereverItStarts) {
  const auto world = world_with_shortcut();
  const RebalancingOptions exact{.iterations = 1000, .tolerance = 1e-6};
  RebalancedRetrainer retrainer(world.data(), world.erm, exact);
  auto mask = at::ones({40});
  const auto first = retrainer.fit(group_weights(world), mask);
  mask[1] = 0;
  const auto masked = retrainer.fit(group_weights(world), mask);
  EXPECT_TRUE(masked.weight.allclose(
      fit(world.data(), group_weights(world), mask, world.erm, exact).weight, 1e-3, 1e-4));
  EXPECT_TRUE(retrainer.fit(group_weights(world), at::ones({40}))
                  .weight.allclose(first.weight, 1e-3, 1e-4));
}

TEST(RebalancedRetraining, AFitAfterOthersIsTheFitAlone) {
  const auto world = world_with_shortcut();
  const RebalancingOptions exact{1e-2, 1000, 1e-7};
  auto mask = at::ones({40});
  mask.slice(0, 1, 20).zero_();
  RebalancedRetrainer retrainer(world.data(), world.erm, exact);
  const auto unmasked = retrainer.fit(group_weights(world), at::ones({40}));
  const auto uniform = retrainer.fit(at::ones({3000}, at::kDouble), mask);
  const auto again = retrainer.fit(group_weights(world), at::ones({40}));
  const auto per_class = retrainer.fit(group_weights(world), mask.expand({2, 40}));
  EXPECT_TRUE(uniform.weight.allclose(
      fit(world.data(), at::ones({3000}, at::kDouble), mask, world.erm, exact).weight, 1e-3, 1e-4));
  EXPECT_TRUE(again.weight.allclose(unmasked.weight, 1e-3, 1e-4));
  EXPECT_FALSE(again.weight.allclose(uniform.weight, 1e-3, 1e-4));
  EXPECT_TRUE(per_class.weight.allclose(
      fit(world.data(), group_weights(world), mask, world.erm, exact).weight, 1e-3, 1e-4));
}

TEST(RebalancedRetraining, BehindAMaskOfNothingOnlyTheBiasIsLeft) {
  const auto world = world_with_shortcut();
  const auto weights = at::where(world.labels.eq(0), 3, 1) /
                       at::bincount(world.labels).index_select(0, world.labels).to(at::kDouble);
  const auto head = fit(world.data(), weights, at::zeros({40}), world.erm, {1e-2, 100, 1e-8});
  EXPECT_TRUE(head.weight.equal(at::zeros({2, 40})));
  EXPECT_NEAR((head.bias[0] - head.bias[1]).item<double>(), std::log(3.0), 1e-4);
}

TEST(RebalancedRetraining, HalfPrecisionEmbeddingsFitAFloatHead) {
  auto world = world_with_shortcut();
  world.embeddings = world.embeddings.to(at::kHalf);
  const auto half = retrained(world);
  world.embeddings = world.embeddings.to(at::kFloat);
  EXPECT_TRUE(half.weight.equal(retrained(world).weight));
  EXPECT_EQ(half.weight.scalar_type(), at::kFloat);
}

TEST(RebalancedRetraining, ManyMoreSamplesThanThePreconditionerSees) {
  // Its sample is of every other row, and those are the ones without class 1.
  const auto many = world_with_shortcut(1, 8000);
  const auto order = many.labels.argsort();
  const auto interleaved = at::stack({order.slice(0, 0, 4000), order.slice(0, 4000)}, 1).flatten();
  World world = many;
  world.labels = many.labels.index_select(0, interleaved);
  world.attributes = many.attributes.index_select(0, interleaved);
  world.embeddings = many.embeddings.index_select(0, interleaved);
  const RebalancingOptions exact{1e-2, 1000, 1e-7};
  EXPECT_TRUE(retrained(world, exact).weight.allclose(retrained(many, exact).weight, 1e-3, 1e-4));
}

TEST(RebalancedRetraining, BitsDoNotDependOnTheNumberOfThreads) {
  const auto world = world_with_shortcut();
  const auto bits = [&](int threads) {
    return with_threads(threads, [&] {
      const auto head = retrained(world);
      return at::cat({head.weight, head.bias.unsqueeze(1)}, 1);
    });
  };
  EXPECT_TRUE(bits(1).equal(bits(2)));
}

TEST(RebalancedRetraining, RefusesWhatItCannotUse) {
  auto world = world_with_shortcut();
  EXPECT_ERROR_OF(OptionError, retrained(world, {0, 100, 1e-4}), "penalty is 0");
  EXPECT_ERROR_OF(OptionError, retrained(world, {1e-2, 0, 1e-4}), "iterations is 0");
  EXPECT_ERROR_OF(OptionError, retrained(world, {1e-2, 100, 0}), "tolerance is 0");
  EXPECT_ERROR(RebalancedRetrainer({at::ones({3000, 7}), world.labels}, world.erm),
               "the head expects [N, 40]");
  EXPECT_ERROR(RebalancedRetrainer({world.embeddings, world.labels + 1}, world.erm), "hold 2");
  RebalancedRetrainer retrainer(world.data(), world.erm);
  EXPECT_ERROR(retrainer.fit(at::ones({3000}), at::ones({40}), at::ones({2, 39}, at::kDouble)),
               "the effects are float64 [2, 39], expected [K, 40]");
  EXPECT_ERROR(retrainer.fit(at::ones({5}, at::kDouble), at::ones({40})),
               "the weights are float64 [5], expected [3000]");
  EXPECT_ERROR(retrainer.fit(group_weights(world), at::ones({1})),
               "the mask is float32 [1], expected [40] or [2, 40]");
  auto later = std::make_shared<LaterLayers>();
  later->classes = 2;
  world.erm.later_layers = later;
  EXPECT_ERROR(retrained(world), "the head has several layers");
}

}  // namespace
}  // namespace neurontune
