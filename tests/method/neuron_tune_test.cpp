#include "neurontune/method/neuron_tune.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "error_matchers.h"
#include "on_device.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// Two classes told apart by dimension 0, which the ERM head ignores for dimension 1: high in class
/// 0 where the head errs. The other dimensions are noise.
struct Problem {
  LabelledEmbeddings data;
  Head erm{at::zeros({2, 8}), at::zeros({2})};
  NeuronTuneOptions options;

  explicit Problem(double noise = 0.6) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
    const int64_t samples = 600;
    data.labels = at::arange(samples).remainder(2);
    data.embeddings = at::randn({samples, 8}, generator).mul(noise);
    const auto minority = at::arange(samples).remainder(10).lt(2);  // both classes, a fifth
    const auto sign = data.labels.to(at::kFloat) * 2 - 1;
    const auto cue = at::where(minority, -sign, sign);
    data.embeddings.select(1, 0).add_(sign);
    data.embeddings.select(1, 1).add_(cue);
    erm.weight[0][1] = -1;
    erm.weight[1][1] = 1;
    options.identify.activation = Activation::magnitude;
    options.select.criterion = Criterion::guarded_sfit;
    options.tune.epochs = 3;
    options.tune.batches_per_epoch = 10;
  }
  NeuronTuneResult run() const { return neuron_tune(data, data, erm, options); }
};

TEST(NeuronTune, MasksAndRetrainsBehindTheMask) {
  Problem problem;
  problem.options.identify.activation = Activation::raw;
  problem.options.identify.aggregate = Aggregate::union_;
  problem.options.identify.threshold = 1;
  const auto result = problem.run();
  EXPECT_TRUE(result.biased.biased[1].item<bool>());
  EXPECT_FALSE(result.biased.biased[0].item<bool>());
  EXPECT_TRUE(result.head.weight.select(1, 1).equal(at::zeros({2})));
  EXPECT_NEAR(result.erm_accuracy.mean_accuracy, 0.8, 0.03);
  EXPECT_GT(result.trajectory.back().accuracy.mean_accuracy, 0.9);
}

TEST(NeuronTune, ResultSpeaksOfTheSelectedEpoch) {
  Problem problem;
  problem.options.select.criterion = Criterion::sfit;
  problem.options.tune.refresh = 1;
  problem.options.tune.learning_rate = 1e-4;
  const auto result = problem.run();
  ASSERT_FALSE(result.candidates.empty());
  const auto& selected = result.candidates.front();
  EXPECT_EQ(result.source, Source::neurontune);
  EXPECT_EQ(selected.source, Source::neurontune);
  EXPECT_EQ(result.selected_epoch, selected.epoch);
  EXPECT_EQ(result.sfit, selected.sfit);
  EXPECT_TRUE(result.head.weight.equal(selected.head.weight));
  EXPECT_TRUE(result.biased.biased.equal(selected.biased.biased));
  EXPECT_TRUE(biased_dimensions(result.scores, problem.options.identify)
                  .biased.equal(result.biased.biased));
}

TEST(NeuronTune, WithoutAnySfitTheErmHeadIsKeptWithAWarning) {
  Problem problem(/*noise=*/0.1);
  problem.options.identify.threshold = 1;
  problem.options.identify.activation = Activation::raw;
  problem.options.tune.learning_rate = 1;  // perfect after one epoch: no mistakes to score
  const auto result = problem.run();
  EXPECT_EQ(result.selected_epoch, 0);
  EXPECT_EQ(result.source, Source::erm);
  ASSERT_EQ(result.candidates.size(), 1U);
  EXPECT_FALSE(result.sfit);
  EXPECT_TRUE(result.head.weight.equal(problem.erm.weight));
  EXPECT_EQ(result.biased.count(), 0);
  EXPECT_THAT(result.warnings, Contains(HasSubstr("the ERM head is kept")));
}

TEST(NeuronTune, BySfitInfersNoGroups) {
  const auto result = Problem().run();
  EXPECT_FALSE(result.shortcut || result.erm_inferred || result.test);
  for (const auto& checkpoint : result.trajectory) EXPECT_FALSE(checkpoint.inferred);
}

/// Runs the method by inferred groups, as it does unless told otherwise. Epochs hardly move the
/// head that they start from, less what the mask drops. Heads may drop as far as they do: in these
/// worlds the attribute is far clearer than the class.
NeuronTuneResult by_groups(const World& held_out, const World& tuning,
                           NeuronTuneOptions options = {}) {
  options.select.max_drop = 1;
  options.tune.epochs = 3;
  options.tune.batches_per_epoch = 1;
  options.tune.learning_rate = 1e-6;
  return neuron_tune(held_out.data(), tuning.data(), held_out.erm, options);
}

double worst_group_accuracy(const Head& head, const World& test) {
  return group_metrics(predictions(head, test.embeddings), test.labels, test.attributes, 2, 2)
      .worst_group_accuracy;
}

void expect_first_candidate_is_selected(const NeuronTuneResult& result) {
  ASSERT_FALSE(result.candidates.empty());
  const auto& first = result.candidates.front();
  EXPECT_EQ(result.source, first.source);
  EXPECT_EQ(result.selected_epoch, first.epoch);
  EXPECT_EQ(result.sfit, first.sfit);
  EXPECT_TRUE(result.head.weight.equal(first.head.weight));
  EXPECT_TRUE(result.head.bias.equal(first.head.bias));
  EXPECT_TRUE(result.biased.biased.equal(first.biased.biased));
}

/// That candidates after the first `from` are by their worst group's lower bound.
void expect_ranked(const NeuronTuneResult& result, std::size_t from) {
  for (std::size_t i = from + 1; i < result.candidates.size(); ++i)
    EXPECT_GE(result.candidates[i - 1].inferred->worst_lower(),
              result.candidates[i].inferred->worst_lower());
}

int64_t candidates_of(const NeuronTuneResult& result, Source source) {
  return std::count_if(result.candidates.begin(), result.candidates.end(),
                       [&](const auto& candidate) { return candidate.source == source; });
}

TEST(NeuronTune, WithAShortcutARebalancedHeadIsPickedAndRepairsTheWorstGroup) {
  const auto held_out = world_with_shortcut(1, 3000, 0.95);
  const auto result = by_groups(held_out, world_with_shortcut(2, 3000, 0.95));
  ASSERT_TRUE(result.shortcut.has_value());
  EXPECT_EQ(result.shortcut->verdict, ShortcutVerdict::supported);
  EXPECT_EQ(result.source, Source::rebalanced);
  EXPECT_FALSE(result.selected_epoch);
  expect_first_candidate_is_selected(result);
  expect_ranked(result, 0);
  EXPECT_EQ(result.candidates.size(), 5U) << "ERM, rebalanced and three epochs";
  EXPECT_EQ(candidates_of(result, Source::erm), 1);
  EXPECT_EQ(candidates_of(result, Source::rebalanced), 1);
  EXPECT_GT(result.candidates.front().inferred->worst_lower(), result.erm_inferred->worst_upper());
  const auto test = world_with_shortcut(3);
  EXPECT_LT(worst_group_accuracy(held_out.erm, test), 0.1);
  EXPECT_GT(worst_group_accuracy(result.head, test), 0.75);
}

TEST(NeuronTune, ARebalancedHeadHasTheScoresOfTheErmHeadsMistakes) {
  const auto held_out = world_with_shortcut(1);
  const auto result = by_groups(held_out, world_with_shortcut(2));
  const auto found = identify(held_out.data(), held_out.erm, IdentificationOptions{});
  EXPECT_NE(result.source, Source::neurontune);
  EXPECT_TRUE(result.scores.scores.equal(found.scores.scores));
  for (const auto& candidate : result.candidates) {
    const bool masked = candidate.source == Source::neurontune;
    EXPECT_EQ(candidate.biased.count(), masked ? found.biased.count() : 0);
    if (!masked) continue;
    const at::Tensor dropped = candidate.head.weight * found.biased.biased;
    EXPECT_TRUE(dropped.equal(at::zeros({2, 40})));
  }
}

TEST(NeuronTune, WithoutAShortcutTheErmHeadIsKept) {
  const auto held_out = world_of_hard_samples(1);
  const auto result = by_groups(held_out, world_of_hard_samples(2));
  EXPECT_EQ(result.shortcut->verdict, ShortcutVerdict::unsupported);
  EXPECT_EQ(result.source, Source::erm);
  EXPECT_EQ(result.selected_epoch, 0);
  EXPECT_TRUE(result.head.weight.equal(held_out.erm.weight));
  EXPECT_TRUE(result.head.bias.equal(held_out.erm.bias));
  EXPECT_EQ(result.biased.count(), 0);
  expect_first_candidate_is_selected(result);
  expect_ranked(result, 1);
  EXPECT_EQ(candidates_of(result, Source::erm), 1);
  EXPECT_EQ(result.candidates.size(), 5U);
}

TEST(NeuronTune, TheErmHeadIsKeptWithoutSupportEvenWhereAnotherRanksHigher) {
  const auto held_out = world_with_shortcut(1);
  NeuronTuneOptions options;
  options.shortcut.evidence_threshold = 1000;
  const auto result = by_groups(held_out, world_with_shortcut(2), options);
  EXPECT_TRUE(result.head.weight.equal(held_out.erm.weight));
  expect_first_candidate_is_selected(result);
  EXPECT_GT(result.candidates[1].inferred->worst_lower(),
            result.candidates[0].inferred->worst_lower());
}

TEST(NeuronTune, WithTooFewHeldOutSamplesTheErmHeadIsTheOnlyCandidate) {
  const auto held_out = world_with_shortcut(1, 36, 0.8);
  const auto result = by_groups(held_out, world_with_shortcut(2));
  EXPECT_EQ(result.shortcut->verdict, ShortcutVerdict::undecided);
  EXPECT_EQ(result.source, Source::erm);
  EXPECT_EQ(result.selected_epoch, 0);
  EXPECT_TRUE(result.head.weight.equal(held_out.erm.weight));
  EXPECT_EQ(result.candidates.size(), 1U);
  EXPECT_FALSE(result.erm_inferred);
}

TEST(NeuronTune, ByGroupsBitsDoNotDependOnTheNumberOfThreads) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto one = with_threads(1, [&] { return by_groups(held_out, tuning); });
  const auto two = with_threads(2, [&] { return by_groups(held_out, tuning); });
  EXPECT_TRUE(one.head.weight.equal(two.head.weight));
  ASSERT_EQ(one.candidates.size(), two.candidates.size());
  for (std::size_t i = 0; i < one.candidates.size(); ++i)
    EXPECT_TRUE(one.candidates[i].inferred->lower.equal(two.candidates[i].inferred->lower));
}

TEST(NeuronTune, AnEpochThatIsSureOfTheWorstGroupIsPickedOverRebalancedHeads) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  NeuronTuneOptions options;
  options.tune.epochs = 3;
  options.shortcut.retraining.penalty = 1e3;  // next to nothing is left of retrained heads
  options.shortcut.evidence_threshold = 1;
  const auto result = neuron_tune(held_out.data(), tuning.data(), held_out.erm, options);
  EXPECT_EQ(result.source, Source::neurontune);
  ASSERT_TRUE(result.selected_epoch.has_value());
  EXPECT_GE(*result.selected_epoch, 1);
  expect_first_candidate_is_selected(result);
}

TEST(NeuronTune, ByGroupsTakesAMaskForEachClass) {
  NeuronTuneOptions options;
  options.identify.aggregate = Aggregate::per_class;
  const auto result = by_groups(world_with_shortcut(1), world_with_shortcut(2), options);
  EXPECT_EQ(candidates_of(result, Source::neurontune), 3);
  EXPECT_EQ(result.biased.biased.sizes(), (std::vector<int64_t>{2, 40}));
}

TEST(NeuronTune, KeepsTheTestOfTheFirstIdentification) {
  NeuronTuneOptions options;
  options.identify.significance = Significance::plain;
  const auto held_out = world_with_shortcut(1);
  const auto result = by_groups(held_out, world_with_shortcut(2), options);
  ASSERT_TRUE(result.test.has_value());
  EXPECT_TRUE(result.test->plain.p_values.equal(
      test_mistakes(held_out.data(), held_out.erm).plain.p_values));
}

TEST(Source, HasNames) {
  EXPECT_STREQ(name(Source::erm), "erm");
  EXPECT_STREQ(name(Source::neurontune), "neurontune");
  EXPECT_STREQ(name(Source::rebalanced), "rebalanced");
}

TEST(NeuronTune, BitsDoNotDependOnTheNumberOfThreads) {
  const Problem problem;
  const auto one = with_threads(1, [&] { return problem.run(); });
  const auto two = with_threads(2, [&] { return problem.run(); });
  EXPECT_TRUE(one.head.weight.equal(two.head.weight));
  EXPECT_EQ(one.selected_epoch, two.selected_epoch);
  EXPECT_EQ(one.sfit, two.sfit);
}

TEST(NeuronTune, AnotherSeedDrawsOtherBatches) {
  Problem problem;
  const auto first = problem.run();
  problem.options.seed = 1;
  EXPECT_FALSE(problem.run().trajectory[0].head.weight.equal(first.trajectory[0].head.weight));
}

TEST(NeuronTune, InputsThatTrackGradientsAreTaken) {
  Problem problem;
  problem.data.embeddings.requires_grad_();
  problem.erm.weight.requires_grad_();
  EXPECT_FALSE(problem.run().head.weight.requires_grad());
}

TEST(NeuronTune, WarnsOfAMemorisedSplit) {
  Problem problem(/*noise=*/0.1);
  problem.erm.weight.zero_();
  problem.erm.weight[0][0] = -1;
  problem.erm.weight[1][0] = 1;
  problem.data.labels[0] = 1;  // the one mistake
  EXPECT_THAT(problem.run().warnings, Contains(HasSubstr("looks memorised")));
  EXPECT_THAT(problem.run().warnings, Contains(HasSubstr("no mistake in it: class 0")));
}

TEST(NeuronTune, ValuesThatAreNotFiniteAreNamed) {
  Problem problem;
  problem.data.embeddings[5][2] = INFINITY;
  EXPECT_ERROR(problem.run(), "row 5, dimension 2 is inf");
}

TEST(NeuronTune, ReportsEachEpoch) {
  const Problem problem;
  std::vector<int64_t> epochs;
  neuron_tune(problem.data, problem.data, problem.erm, problem.options,
              [&](std::string_view stage, int64_t done, int64_t total) {
                EXPECT_EQ(stage, "tune");
                EXPECT_EQ(total, 3);
                epochs.push_back(done);
              });
  EXPECT_EQ(epochs, (std::vector<int64_t>{1, 2, 3}));
}

class NeuronTuneOnDevice : public OnDevice {};

TEST_P(NeuronTuneOnDevice, FindsAndPicksWhatTheCpuDoes) {
  for (const auto criterion : {Criterion::sfit, Criterion::inferred_groups}) {
    Problem problem;
    problem.options.select.criterion = criterion;
    problem.options.tune.refresh = 2;
    const auto here = problem.run();
    const auto data = there(problem.data);
    const auto found = neuron_tune(data, data, there(problem.erm), problem.options);
    EXPECT_EQ(found.head.weight.device(), device());
    EXPECT_TRUE(found.scores.scores.cpu().equal(here.scores.scores));
    EXPECT_TRUE(found.biased.biased.cpu().equal(here.biased.biased));
    EXPECT_EQ(found.source, here.source);
    EXPECT_EQ(found.selected_epoch, here.selected_epoch);
    const auto same = predictions(here.head, problem.data.embeddings)
                          .eq(predictions(found.head, data.embeddings).cpu());
    EXPECT_GE(same.to(at::kDouble).mean().item<double>(), 0.995);
  }
}

NEURONTUNE_ON_EVERY_DEVICE(NeuronTuneOnDevice);

}  // namespace
}  // namespace neurontune
