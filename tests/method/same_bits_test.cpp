// What the method finds has the same bits on any number of threads, and wherever its inputs lie.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "baselines/biased_world.h"
#include "misaligned.h"
#include "neurontune/baselines/afr.h"
#include "neurontune/repair/tuned_head.h"
#include "neurontune/shortcut/rebalanced_retraining.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

/// From 129 columns on MKL factorises in pieces.
constexpr int64_t kDimensions = 150;

struct Data {
  LabelledEmbeddings held_out, tuning;
  Head erm;

  Data at_offset(int64_t bytes) const {
    const auto moved = [&](const at::Tensor& tensor) { return misaligned(tensor, bytes); };
    return {{moved(held_out.embeddings), held_out.labels},
            {moved(tuning.embeddings), tuning.labels},
            {moved(erm.weight), moved(erm.bias)}};
  }
};

LabelledEmbeddings widened(const World& world, uint64_t seed) {
  const auto noise = at::randn({world.labels.size(0), kDimensions - World::kDimensions},
                               at::detail::createCPUGenerator(seed));
  return {at::cat({world.embeddings, noise}, 1), world.labels};
}

Data data_with_shortcut() {
  const auto held_out = world_with_shortcut(1, 1200), tuning = world_with_shortcut(2, 1300);
  auto erm = held_out.erm;
  erm.weight = at::constant_pad_nd(erm.weight, {0, kDimensions - World::kDimensions});
  // A weight everywhere: each embedding's number counts for the logits.
  erm.weight.add_(at::randn(erm.weight.sizes(), at::detail::createCPUGenerator(3)), 0.01);
  return {widened(held_out, 4), widened(tuning, 5), erm};
}

RepairOptions options_of(Criterion criterion) {
  NeuronTuneOptions options;
  options.select.criterion = criterion;
  options.select.max_drop = 1;
  options.identify.significance =
      is_of_repair(criterion) ? Significance::plain : Significance::none;
  options.tune.epochs = 2;
  options.tune.batches_per_epoch = 10;
  RepairOptions all(options);
  all.anchored.penalties = {1, 0.1};
  return all;
}

TunedHead run(const Data& data, Criterion criterion) {
  const auto attributes =
      at::where(at::arange(data.held_out.labels.size(0)).lt(100),
                data.held_out.embeddings.select(1, 1).gt(2.5).to(at::kLong), -1);
  return tune_head(data.held_out, data.tuning, data.erm, options_of(criterion), attributes);
}

void expect_same_head(const Head& one, const Head& other) {
  EXPECT_TRUE(one.weight.equal(other.weight));
  EXPECT_TRUE(one.bias.equal(other.bias));
}

void expect_same_shortcut(const ShortcutSearch& one, const ShortcutSearch& other) {
  EXPECT_EQ(one.separation, other.separation);
  EXPECT_EQ(one.reliance, other.reliance);
  EXPECT_TRUE(one.beliefs.equal(other.beliefs));
  EXPECT_TRUE(one.groups.discriminants.equal(other.groups.discriminants));
}

void expect_same_epochs(const NeuronTuneResult& one, const NeuronTuneResult& other) {
  EXPECT_EQ(one.sfit, other.sfit);
  EXPECT_TRUE(one.scores.scores.equal(other.scores.scores));
  if (one.test) {
    EXPECT_TRUE(one.test->given_margin.p_values.equal(other.test->given_margin.p_values));
  }
  ASSERT_EQ(one.candidates.size(), other.candidates.size());
  for (std::size_t i = 0; i < one.candidates.size(); ++i) {
    expect_same_head(one.candidates[i].head, other.candidates[i].head);
    EXPECT_EQ(one.candidates[i].loss, other.candidates[i].loss);
    EXPECT_EQ(one.candidates[i].sfit, other.candidates[i].sfit);
  }
}

void expect_same_candidates(const RepairResult& one, const RepairResult& other) {
  EXPECT_EQ(one.refused, other.refused);
  ASSERT_EQ(one.candidates.size(), other.candidates.size());
  for (std::size_t i = 0; i < one.candidates.size(); ++i) {
    const auto &here = one.candidates[i], &there = other.candidates[i];
    EXPECT_EQ(describe(here.settings), describe(there.settings));
    EXPECT_EQ(here.worst_lower, there.worst_lower);
    EXPECT_EQ(here.repairability, there.repairability);
    if (here.inferred) {
      EXPECT_TRUE(here.inferred->lower.equal(there.inferred->lower));
    }
  }
}

void expect_same_bits(const TunedHead& one, const TunedHead& other) {
  expect_same_head(one.head(), other.head());
  expect_same_epochs(one.neurontune(), other.neurontune());
  ASSERT_EQ(one.repair() == nullptr, other.repair() == nullptr);
  if (one.repair() == nullptr) return;
  expect_same_shortcut(one.repair()->shortcut, other.repair()->shortcut);
  expect_same_candidates(*one.repair(), *other.repair());
}

class SameBits : public testing::TestWithParam<Criterion> {};

TEST_P(SameBits, OnAnyNumberOfThreads) {
  const auto data = data_with_shortcut();
  const auto on = [&](int threads) {
    return with_threads(threads, [&] { return run(data, GetParam()); });
  };
  const auto one = on(1);
  for (const int threads : {2, 4}) {
    SCOPED_TRACE(threads);
    expect_same_bits(one, on(threads));
  }
}

TEST_P(SameBits, WhereverTheInputsLie) {
  const auto data = data_with_shortcut();
  const auto aligned = run(data, GetParam());
  const int64_t step = is_of_repair(GetParam()) ? 20 : 4;
  for (int64_t bytes = 4; bytes < 64; bytes += step) {
    SCOPED_TRACE(bytes);
    expect_same_bits(aligned, run(data.at_offset(bytes), GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(Criteria, SameBits,
                         testing::Values(Criterion::sfit, Criterion::guarded_sfit,
                                         Criterion::inferred_groups, Criterion::worst_group),
                         [](const auto& criterion) { return std::string(name(criterion.param)); });

/// More classes than have kernels of their own: products are LibTorch's.
Data data_of_many_classes() {
  const int64_t classes = 17, samples = 3000;
  const auto split = [&](uint64_t seed) {
    auto random = at::detail::createCPUGenerator(seed);
    const auto labels = at::randint(0, classes, {samples}, random, at::kLong);
    const auto other = at::randint(0, classes, {samples}, random, at::kLong);
    const auto attributes = at::where(at::rand({samples}, random).lt(0.9), labels, other);
    const auto embeddings = at::randn({samples, kDimensions}, random);
    embeddings.slice(1, 0, classes).add_(at::one_hot(labels, classes), 4);
    embeddings.slice(1, classes, 2 * classes).add_(at::one_hot(attributes, classes), 5);
    return LabelledEmbeddings{embeddings, labels};
  };
  const auto weight = at::randn({classes, kDimensions}, at::detail::createCPUGenerator(3)) * 0.01;
  weight.slice(1, classes, 2 * classes).add_(at::eye(classes));
  return {split(1), split(2), {weight, at::zeros({classes})}};
}

TEST(SameBitsOf, ManyClassesOnAnyNumberOfThreads) {
  const auto data = data_of_many_classes();
  const auto on = [&](int threads) {
    return with_threads(threads, [&] { return run(data, Criterion::inferred_groups); });
  };
  const auto one = on(1);
  const auto& shortcut = one.repair()->shortcut;
  ASSERT_TRUE(shortcut.found_groups()) << shortcut.reason;
  expect_same_bits(one, on(2));
  expect_same_bits(one, run(data.at_offset(12), Criterion::inferred_groups));
}

TEST(SameBitsOf, RebalancedHeadsOfManyClassesWhereverTheInputsLie) {
  const int64_t classes = 20, samples = 400;
  auto random = at::detail::createCPUGenerator(1);
  const auto embeddings = at::randn({samples, 70}, random);
  const auto labels = at::arange(samples).remainder(classes);
  const Head like{at::randn({classes, 70}, random), at::zeros({classes})};
  const auto fitted = [&](int64_t bytes) {
    const LabelledEmbeddings data{misaligned(embeddings, bytes), labels};
    return RebalancedRetrainer(data, like).fit(at::ones({samples}, at::kDouble), at::ones({70}));
  };
  const auto aligned = fitted(0);
  for (int64_t bytes = 4; bytes < 64; bytes += 4) expect_same_head(aligned, fitted(bytes));
}

TEST(SameBitsOf, AfrWithoutABiasWhereverTheInputsLie) {
  BiasedWorld world;
  world.erm.bias = at::Tensor();
  AfrOptions options;
  options.steps = 5;
  const auto& data = world.learning.data;
  const auto weight = [&](int64_t bytes) {
    return afr({misaligned(data.embeddings, bytes), data.labels}, world.held_out.data, world.erm,
               options)
        .head.weight;
  };
  const auto aligned = weight(0);
  for (int64_t bytes = 4; bytes < 64; bytes += 4) EXPECT_TRUE(aligned.equal(weight(bytes)));
}

}  // namespace
}  // namespace neurontune
