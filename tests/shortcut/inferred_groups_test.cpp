#include "neurontune/shortcut/inferred_groups.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "error_matchers.h"
#include "neurontune/metrics/group_accuracy.h"
#include "tensors.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

at::Tensor evidence(const World& world) { return predictions(world.erm, world.embeddings); }

InferredGroups fit(const World& world, const InferredGroupsOptions& options = {}) {
  return infer_groups(world.data(), evidence(world), 2, options);
}

double agreement(const at::Tensor& beliefs, const at::Tensor& attributes) {
  return beliefs.argmax(1).eq(attributes).to(at::kDouble).mean().item<double>();
}

TEST(InferredGroups, FindTheAttributeThatNoOneLabelled) {
  const auto held_out = world_with_shortcut(1), train = world_with_shortcut(2);
  const auto groups = fit(held_out);
  EXPECT_GT(agreement(groups.beliefs(held_out.data()), held_out.attributes), 0.98);
  EXPECT_GT(agreement(groups.beliefs(train.data()), train.attributes), 0.98);
}

TEST(InferredGroups, AreBetterThanTheirEvidence) {
  const auto world = world_with_shortcut();
  auto random = at::detail::createCPUGenerator(3);
  const auto wrong = at::rand({3000}, random).lt(0.1);
  const auto noisy = at::where(wrong, 1 - world.attributes, world.attributes);
  const auto groups = infer_groups(world.data(), noisy, 2);
  EXPECT_GT(agreement(groups.beliefs(world.data()), world.attributes), 0.97);
}

TEST(InferredGroups, BeliefsSumToOne) {
  const auto world = world_with_shortcut();
  const auto beliefs = fit(world).beliefs(world.data());
  EXPECT_TRUE(beliefs.sum(1).allclose(at::ones({3000}, at::kDouble)));
}

TEST(InferredGroups, ThePriorIsTheSameInEveryClassAndStays) {
  auto world = world_with_shortcut();
  const auto predicted = evidence(world);
  const auto counts =
      at::bincount(2 * world.labels + predicted, {}, 4).view({2, 2}).to(at::kDouble) + 2;
  const auto rates = 1 - counts.diagonal() / counts.sum(1);
  InferredGroupsOptions options;
  for (const double quantile : {0.0, 0.25, 1.0}) {
    options.error_quantile = quantile;
    const auto lowest = rates.min().item<double>(), highest = rates.max().item<double>();
    const double rate = lowest + quantile * (highest - lowest);
    const auto prior = fit(world, options).log_prior.exp().to(at::kFloat);
    const auto of = [](double value) { return static_cast<float>(value); };
    EXPECT_TRUE(prior.allclose(matrix({{of(1 - rate), of(rate)}, {of(rate), of(1 - rate)}})));
  }
}

/// Of each class's samples the mean belief in the other value.
std::vector<double> shares_of_the_other(const at::Tensor& beliefs, const at::Tensor& labels) {
  std::vector<double> shares;
  for (const int64_t label : {0, 1}) {
    const auto members = labels.eq(label).nonzero().squeeze(1);
    shares.push_back(beliefs.index_select(0, members).select(1, 1 - label).mean().item<double>());
  }
  return shares;
}

TEST(InferredGroups, OtherValuesAreOnAverageNoLikelierThanThePrior) {
  // The evidence names one in five of those whose value is the other: without a limit all of them.
  const auto world = world_with_shortcut(1, 3000, 0.6);
  const auto named = at::arange(3000).remainder(5).eq(0);
  const auto some = at::where(named, world.attributes, world.labels);
  InferredGroupsOptions options;
  options.rounds = 1;
  const auto groups = infer_groups(world.data(), some, 2, options);
  EXPECT_LT(groups.calibration.min().item<double>(), -0.1);
  EXPECT_TRUE(groups.calibration.diagonal().eq(0).all().item<bool>());
  const double prior = groups.log_prior[0][1].exp().item<double>();
  for (const double share : shares_of_the_other(groups.beliefs(world.data()), world.labels))
    EXPECT_LT(share, 1.01 * prior);
}

TEST(InferredGroups, ValuesThatNoSampleHasLeftLieNowhere) {
  const auto world = world_with_shortcut(1, 3000, 0.6);
  const auto named = at::arange(3000).remainder(5).eq(0);
  InferredGroupsOptions options;
  options.rounds = 30;
  const auto some = at::where(named, world.attributes, world.labels);
  const auto groups = infer_groups(world.data(), some, 2, options);
  const auto shares = shares_of_the_other(groups.beliefs(world.data()), world.labels);
  EXPECT_LT(shares[0] + shares[1], 1e-3) << "else this world shows nothing";
  EXPECT_LT(groups.distances().max().item<double>(), 100) << "millions, if nothing limits them";
}

TEST(InferredGroups, ValuesRarerThanThePriorStaySo) {
  const auto world = world_with_shortcut(1, 3000, 0.95);
  InferredGroupsOptions options;
  options.smoothing = 100;  // a prior of a tenth
  const auto groups = fit(world, options);
  EXPECT_GT(groups.log_prior[0][1].exp().item<double>(), 0.08);
  for (const double share : shares_of_the_other(groups.beliefs(world.data()), world.labels))
    EXPECT_NEAR(share, 0.05, 0.015);
}

TEST(InferredGroups, AClassWithoutSamplesIsFittedWithout) {
  auto world = world_with_shortcut();
  const auto predicted = evidence(world);
  const auto groups = infer_groups(world.data(), predicted, 3);
  const auto beliefs = groups.beliefs(world.data());
  EXPECT_TRUE(beliefs.isfinite().all().item<bool>());
  EXPECT_GT(agreement(beliefs, world.attributes), 0.9);
}

/// One round that takes the evidence for certain.
InferredGroupsOptions certain(double group_samples) {
  InferredGroupsOptions options;
  options.confidence = 1 - 1e-9;
  options.shrinkage = 1e-9;
  options.rounds = 1;
  options.group_samples = group_samples;
  return options;
}

TEST(InferredGroups, DistancesAreInStandardDeviations) {
  // Three values at −6, 0 and 8 of a dimension of deviation 2, and two of noise.
  auto random = at::detail::createCPUGenerator(1);
  const auto attributes = at::arange(6000).remainder(3);
  const auto labels = at::randint(0, 3, {6000}, random, at::kLong);
  auto embeddings = at::randn({6000, 3}, random);
  embeddings.select(1, 0).mul_(2).add_(at::tensor({-6.f, 0.f, 8.f}).index_select(0, attributes));
  const auto distances = infer_groups({embeddings, labels}, attributes, 3, certain(5)).distances();
  const auto expected = matrix({{0.f, 3.f, 7.f}, {3.f, 0.f, 4.f}, {7.f, 4.f, 0.f}});
  EXPECT_TRUE(distances.to(at::kFloat).allclose(expected, 0, 0.2));
}

TEST(InferredGroups, RareGroupsCountAsMuchAsLargeOnesUnlessTheyHaveHardlyAnySample) {
  // The attribute moves class 0 by 4 and class 1, with a few samples against it, by 1: one effect
  // for both lies half-way where the groups count alike.
  auto random = at::detail::createCPUGenerator(1);
  const auto labels = at::arange(4000).remainder(2);
  const auto attributes = at::where(labels.eq(0), at::randint(0, 2, {4000}, random, at::kLong),
                                    at::arange(4000).remainder(50).gt(1).to(at::kLong));
  auto embeddings = at::randn({4000, 4}, random);
  embeddings.select(1, 0).add_(attributes * at::where(labels.eq(0), 4, 1));
  const auto shift = [&](double group_samples) {
    const auto groups = infer_groups({embeddings, labels}, attributes, 2, certain(group_samples));
    const auto effects = groups.attribute_effects * groups.deviation;
    return (effects[1][0] - effects[0][0]).item<double>();
  };
  EXPECT_NEAR(shift(1e-3), 2.5, 0.2);
  EXPECT_NEAR(shift(1e6), 3.6, 0.1) << "the plain least squares";
}

TEST(InferredGroups, BitsDoNotDependOnTheNumberOfThreads) {
  const auto world = world_with_shortcut();
  const auto fitted = [&](int threads) {
    return with_threads(threads, [&] {
      const auto groups = fit(world);
      return at::cat({groups.discriminants, groups.beliefs(world.data())});
    });
  };
  EXPECT_TRUE(fitted(1).equal(fitted(2)));
}

TEST(InferredGroups, HalfPrecisionEmbeddingsAreTakenAsFloats) {
  auto world = world_with_shortcut();
  world.embeddings = world.embeddings.to(at::kHalf);
  const auto half = infer_groups(world.data(), world.attributes, 2);
  world.embeddings = world.embeddings.to(at::kFloat);
  const auto full = infer_groups(world.data(), world.attributes, 2);
  EXPECT_TRUE(half.discriminants.equal(full.discriminants));
}

TEST(InferredGroups, RefuseWhatTheyCannotUse) {
  const auto world = world_with_shortcut();
  const auto expect_refused = [&](auto set, const char* message) {
    InferredGroupsOptions options;
    set(options);
    EXPECT_ERROR_OF(OptionError, fit(world, options), message);
  };
  expect_refused([](auto& options) { options.confidence = 1; }, "confidence is 1, expected");
  expect_refused([](auto& options) { options.smoothing = 0; }, "smoothing is 0, expected");
  expect_refused([](auto& options) { options.error_quantile = 1.1; }, "error_quantile is 1.1");
  expect_refused([](auto& options) { options.shrinkage = 0; }, "shrinkage is 0, expected over 0");
  expect_refused([](auto& options) { options.rounds = 0; }, "rounds is 0, expected 1 to 1000");
  expect_refused([](auto& options) { options.group_samples = 0; }, "group_samples is 0, expected");
  EXPECT_ERROR(infer_groups({at::ones({50, 40}), at::arange(50).remainder(2)},
                            at::arange(50).remainder(2), 2),
               "do not vary within the classes");
  EXPECT_ERROR(infer_groups(world.data(), longs({0, 1}), 2), "evidence have 2 rows");
  EXPECT_ERROR(infer_groups(world.data(), evidence(world) + 1, 2), "evidence hold 2");
  EXPECT_ERROR(infer_groups(world.data(), evidence(world), 1), "groups need at least two");
  const auto groups = fit(world);
  EXPECT_ERROR(groups.beliefs({at::ones({5, 3}), at::zeros({5}, at::kLong)}),
               "embeddings are float32 [5, 3], expected [N, 40]");
}

}  // namespace
}  // namespace neurontune
