#include "neurontune/repair/repair.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "error_matchers.h"
#include "neurontune/repair/tuned_head.h"
#include "on_device.h"
#include "straight_accuracy.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A few epochs, which hardly move the head that they start from, less what the mask drops. A
/// repair may cost as much as it does: in these worlds the attribute is far clearer than the class.
RepairOptions quick() {
  RepairOptions options;
  options.neurontune.select.max_drop = 1;
  options.neurontune.tune.epochs = 3;
  options.neurontune.tune.batches_per_epoch = 1;
  options.neurontune.tune.learning_rate = 1e-6;
  return options;
}

RepairResult repaired(const World& held_out, const World& tuning,
                      const RepairOptions& options = quick(), const at::Tensor& attributes = {}) {
  return repair(held_out.data(), tuning.data(), held_out.erm, options, {}, attributes);
}

double worst_group_accuracy(const Head& head, const World& test) {
  return group_metrics(predictions(head, test.embeddings), test.labels, test.attributes, 2, 2)
      .worst_group_accuracy;
}

AccuracyMetrics accuracy(const Head& head, const World& test) {
  return accuracy_metrics(predictions(head, test.embeddings), test.labels, 2);
}

void expect_first_candidate_is_selected(const RepairResult& result) {
  ASSERT_FALSE(result.candidates.empty());
  EXPECT_EQ(describe(result.settings), describe(result.candidates.front().settings));
  EXPECT_EQ(result.acceptance, result.candidates.front().acceptance);
}

/// The selected one apart.
void expect_ranked(const RepairResult& result) {
  for (std::size_t i = 2; i < result.candidates.size(); ++i)
    EXPECT_GE(result.candidates[i - 1].worst_lower, result.candidates[i].worst_lower);
}

int64_t candidates_of(const RepairResult& result, Source source) {
  int64_t count = 0;
  for (const auto& candidate : result.candidates) count += candidate.settings.source == source;
  return count;
}

TEST(Repair, WhatTheProgressCallbackThrowsReachesTheCaller) {
  struct Stop {};
  const auto world = world_with_shortcut(1, 600, 0.95);
  for (const std::string_view stage : {"tune", "judge"})
    EXPECT_THROW(repair(world.data(), world.data(), world.erm, quick(),
                        [&](std::string_view current, int64_t, int64_t) {
                          if (current == stage) throw Stop();
                        }),
                 Stop)
        << stage;
}

TEST(Repair, WithAShortcutWhatIsPickedRepairsTheWorstGroup) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const auto held_out = world_with_shortcut(seed, 3000, 0.95);
    const auto result = repaired(held_out, world_with_shortcut(seed + 100, 3000, 0.95));
    EXPECT_EQ(result.shortcut.verdict, ShortcutVerdict::supported);
    EXPECT_EQ(result.acceptance, Acceptance::trade);
    expect_first_candidate_is_selected(result);
    expect_ranked(result);
    const auto& selected = result.candidates.front();
    EXPECT_GT(selected.inferred->worst_lower(), result.erm.inferred->worst_upper());
    const auto test = world_with_shortcut(seed + 200);
    EXPECT_LT(worst_group_accuracy(held_out.erm, test), 0.1);
    EXPECT_GT(worst_group_accuracy(result.head, test), 0.7) << describe(result.settings);
  }
}

TEST(Repair, WithoutAShortcutTheHeadStaysAsAccurate) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const auto held_out = world_of_hard_samples(seed);
    const auto result = repaired(held_out, world_of_hard_samples(seed + 100));
    EXPECT_EQ(result.shortcut.verdict, ShortcutVerdict::unsupported);
    for (const auto& candidate : result.candidates)
      EXPECT_NE(candidate.acceptance, Acceptance::trade);
    EXPECT_EQ(candidates_of(result, Source::erm), 1);
    expect_first_candidate_is_selected(result);
    expect_ranked(result);
    const auto test = world_of_hard_samples(seed + 200, 20000);
    const auto before = accuracy(held_out.erm, test), after = accuracy(result.head, test);
    EXPECT_GT(after.balanced_accuracy, before.balanced_accuracy - 0.01);
    EXPECT_GT(after.worst_class_accuracy, before.worst_class_accuracy - 0.02);
  }
}

TEST(Repair, TheErmHeadIsJudgedAsItIs) {
  const auto held_out = world_with_shortcut(1);
  const auto result = repaired(held_out, world_with_shortcut(2));
  const auto expected = accuracy(held_out.erm, held_out);
  EXPECT_EQ(result.erm.settings.source, Source::erm);
  EXPECT_EQ(result.erm.acceptance, Acceptance::kept);
  EXPECT_DOUBLE_EQ(result.erm.accuracy.balanced_accuracy, expected.balanced_accuracy);
  EXPECT_DOUBLE_EQ(result.erm.accuracy.worst_class_accuracy, expected.worst_class_accuracy);
  EXPECT_DOUBLE_EQ(result.erm.repairability, 0.5);
}

TEST(Repair, WithoutEvidenceNoTradeIsMade) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  auto options = quick();
  options.shortcut.evidence_threshold = 1000;
  const auto result = repaired(held_out, tuning, options);
  EXPECT_EQ(result.shortcut.verdict, ShortcutVerdict::unsupported);
  EXPECT_GT(result.refused, 0);
  expect_first_candidate_is_selected(result);
  for (const auto& candidate : result.candidates) {
    EXPECT_GE(candidate.accuracy.balanced_accuracy, result.erm.accuracy.balanced_accuracy - 1e-12);
    EXPECT_GE(candidate.accuracy.worst_class_accuracy,
              result.erm.accuracy.worst_class_accuracy - 1e-12);
  }
  EXPECT_EQ(result.candidates.size() + static_cast<std::size_t>(result.refused),
            repaired(held_out, tuning).candidates.size() +
                static_cast<std::size_t>(repaired(held_out, tuning).refused));
}

TEST(Repair, UndecidedDataInferNoGroupsAndTradeNothing) {
  const auto result = repaired(world_with_shortcut(1, 36, 0.8), world_with_shortcut(2));
  EXPECT_EQ(result.shortcut.verdict, ShortcutVerdict::undecided);
  EXPECT_EQ(candidates_of(result, Source::rebalanced), 0);
  expect_first_candidate_is_selected(result);
  for (const auto& candidate : result.candidates) {
    EXPECT_NE(candidate.acceptance, Acceptance::trade);
    EXPECT_FALSE(candidate.inferred);
  }
}

void expect_erm_kept_unjudged(const RepairResult& result, const Head& erm, const char* warning) {
  EXPECT_EQ(result.acceptance, Acceptance::kept);
  EXPECT_EQ(result.candidates.size(), 1U);
  EXPECT_EQ(result.refused, 0);
  EXPECT_TRUE(result.head.weight.equal(erm.weight));
  EXPECT_TRUE(result.head.bias.equal(erm.bias));
  EXPECT_THAT(result.warnings, Contains(HasSubstr(warning)));
}

TEST(Repair, WhatHasFewerSamplesOfAClassThanFoldsJudgesNothing) {
  const auto tuning = world_with_shortcut(2);
  auto held_out = world_with_shortcut(1, 200);
  held_out.labels.zero_();
  expect_erm_kept_unjudged(repaired(held_out, tuning), held_out.erm,
                           "a class has 0 held-out samples, fewer than there are folds (2)");
  held_out.labels[0] = 1;
  expect_erm_kept_unjudged(repaired(held_out, tuning), held_out.erm,
                           "a class has 1 held-out samples");
  auto two = world_with_shortcut(1, 2);
  two.labels = at::tensor({0, 1}, at::kLong);
  expect_erm_kept_unjudged(repaired(two, tuning), two.erm, "a class has 1 held-out samples");
  auto one = world_with_shortcut(1, 1);
  expect_erm_kept_unjudged(repaired(one, tuning), one.erm, "a class has 0 held-out samples");
}

TEST(Repair, MoreFoldsJudgeAsMuch) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  auto options = quick();
  options.shortcut.folds = 5;
  const auto result = repaired(held_out, tuning, options);
  EXPECT_EQ(result.acceptance, Acceptance::trade);
  EXPECT_GT(worst_group_accuracy(result.head, world_with_shortcut(3)), 0.7);
}

TEST(Repair, HasThePapersMethodOnAllOfTheData) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto result = repaired(held_out, tuning);
  auto options = quick().neurontune;
  options.select.criterion = Criterion::sfit;
  const auto alone = neuron_tune(held_out.data(), tuning.data(), held_out.erm, options);
  EXPECT_TRUE(result.neurontune.head.weight.equal(alone.head.weight));
  EXPECT_TRUE(result.neurontune.scores.scores.equal(alone.scores.scores));
  ASSERT_TRUE(result.neurontune.test && alone.test);
  EXPECT_TRUE(result.neurontune.test->plain.p_values.equal(alone.test->plain.p_values));
  for (const auto& candidate : result.candidates) {
    const auto& of = candidate.settings;
    const bool is_of_tuning = of.source == Source::neurontune && of.fitted_to == FittedTo::tuning;
    ASSERT_EQ(candidate.sfit.has_value(), is_of_tuning);
    if (!is_of_tuning) continue;
    EXPECT_EQ(candidate.sfit, alone.trajectory[static_cast<std::size_t>(*of.epoch - 1)].sfit);
  }
}

TEST(Repair, TakesAMaskForEachClass) {
  auto options = quick();
  options.neurontune.identify.aggregate = Aggregate::per_class;
  const auto result = repaired(world_with_shortcut(1), world_with_shortcut(2), options);
  EXPECT_EQ(result.neurontune.biased.biased.sizes(), (std::vector<int64_t>{2, 40}));
  EXPECT_EQ(candidates_of(result, Source::neurontune) + result.refused >= 9, true)
      << "three epochs of three kinds of data";
}

/// The same logits from two layers, of which the later one is the identity.
World layered(World world) {
  auto later = std::make_shared<LaterLayers>();
  later->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>& parameters) {
    return at::linear(hidden, parameters.at(0));
  };
  later->classes = 2;
  later->parameter_names = {"1.weight"};
  world.erm.later_layers = later;
  world.erm.later_parameters = {at::eye(2)};
  return world;
}

TEST(Repair, OfSeveralLayersOnlyTheErmHeadAndEpochsAreCandidates) {
  const auto held_out = layered(world_with_shortcut(1, 3000, 0.95));
  auto options = quick();
  options.neurontune.tune.batches_per_epoch = 30;
  options.neurontune.tune.learning_rate = 1e-2;
  const auto result = repaired(held_out, world_with_shortcut(2, 3000, 0.95), options);
  EXPECT_EQ(result.shortcut.verdict, ShortcutVerdict::supported);
  EXPECT_FALSE(result.head.is_linear());
  for (const auto& candidate : result.candidates)
    EXPECT_TRUE(candidate.settings.source == Source::erm ||
                candidate.settings.source == Source::neurontune);
  EXPECT_EQ(result.candidates.size() + static_cast<std::size_t>(result.refused), 10U);
}

TEST(Repair, AHeadWithoutABiasIsRepairedToo) {
  auto held_out = world_with_shortcut(1, 3000, 0.95), tuning = world_with_shortcut(2, 3000, 0.95);
  for (auto* world : {&held_out, &tuning})
    for (const int64_t dimension : {1, 2}) world->embeddings.select(1, dimension).sub_(2.5);
  held_out.erm.bias = at::Tensor();
  const auto result = repaired(held_out, tuning);
  EXPECT_FALSE(result.head.bias.defined());
  EXPECT_EQ(candidates_of(result, Source::bias_shift), 0);
  EXPECT_EQ(result.acceptance, Acceptance::trade);
}

/// The attributes of the first `samples` of each group, of others −1.
at::Tensor attributes_of_some(const World& world, int64_t samples) {
  auto known = at::full_like(world.attributes, -1);
  for (int64_t label = 0; label < 2; ++label)
    for (int64_t attribute = 0; attribute < 2; ++attribute) {
      const auto members =
          world.labels.eq(label).logical_and(world.attributes.eq(attribute)).nonzero().squeeze(1);
      known.index_fill_(0, members.slice(0, 0, samples), attribute);
    }
  return known;
}

RepairOptions by_worst_group() {
  auto options = quick();
  options.neurontune.select.criterion = Criterion::worst_group;
  options.neurontune.select.max_drop = 0;
  options.shortcut.evidence_threshold = 1000;
  return options;
}

TEST(Repair, AFewKnownAttributesAGroupPickByTheGroups) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto known = attributes_of_some(held_out, 20);
  const auto result = repaired(held_out, tuning, by_worst_group(), known);
  EXPECT_EQ(result.acceptance, Acceptance::known);
  EXPECT_EQ(result.refused, 0);
  expect_first_candidate_is_selected(result);
  expect_ranked(result);
  const auto rows = known.ge(0).nonzero().squeeze(1);
  const auto of_erm = inferred_accuracy(
      predictions(held_out.erm, held_out.embeddings.index_select(0, rows)),
      held_out.labels.index_select(0, rows), at::one_hot(known.index_select(0, rows), 2), 2);
  EXPECT_DOUBLE_EQ(result.erm.worst_lower, of_erm.worst_lower());
  EXPECT_TRUE(result.erm.inferred->samples.equal(at::full({2, 2}, 20, at::kDouble)));
  EXPECT_GT(worst_group_accuracy(result.head, world_with_shortcut(3)), 0.7);
}

TEST(Repair, AttributesAreUsedByWorstGroupAlone) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto without = repaired(held_out, tuning);
  const auto with = repaired(held_out, tuning, quick(), 1 - held_out.attributes);
  EXPECT_TRUE(with.head.weight.equal(without.head.weight));
  EXPECT_EQ(with.erm.worst_lower, without.erm.worst_lower);
}

TEST(Repair, WorstGroupTakesAttributes) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto with = [&](const at::Tensor& attributes) {
    return repaired(held_out, tuning, by_worst_group(), attributes);
  };
  EXPECT_ERROR(with({}), "criterion worst_group needs attributes of held-out samples");
  EXPECT_ERROR(with(at::full({3000}, -1, at::kLong)), "and none is known");
  EXPECT_ERROR(with(at::zeros({10}, at::kLong)), "the attributes are int64 [10], expected int64");
  EXPECT_ERROR(with(at::zeros({3000})), "the attributes are float32 [3000], expected int64");
}

TEST(Repair, ReportsEpochsAndFits) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  std::vector<std::string> steps;
  repair(held_out.data(), tuning.data(), held_out.erm, quick(),
         [&](std::string_view stage, int64_t done, int64_t total) {
           steps.push_back(std::string(stage) + " " + std::to_string(done) + "/" +
                           std::to_string(total));
         });
  const auto fits = std::find(steps.begin(), steps.end(), "tune 3/3") + 1;
  EXPECT_THAT(std::vector(steps.begin(), fits), ElementsAre("tune 1/3", "tune 2/3", "tune 3/3"));
  EXPECT_THAT(std::vector(fits, steps.end()), testing::Each(testing::StartsWith("judge ")));
  EXPECT_EQ(steps.back(), "judge 24/24");  // twelve families of heads in each of two folds
}

TEST(Repair, WarnsOfAFallOfAccuracy) {
  const auto held_out = world_with_shortcut(1, 3000, 0.95);
  const auto result = repaired(held_out, world_with_shortcut(2, 3000, 0.95));
  EXPECT_THAT(result.warnings,
              Contains(HasSubstr("class-balanced accuracy on held-out data fell from 9")));
}

TEST(Repair, InputsThatTrackGradientsAreTaken) {
  auto held_out = world_with_shortcut(1, 400), tuning = world_with_shortcut(2, 400);
  held_out.embeddings.requires_grad_();
  tuning.embeddings.requires_grad_();
  held_out.erm.weight.requires_grad_();
  EXPECT_FALSE(repaired(held_out, tuning).head.weight.requires_grad());
}

TEST(Repair, RefusesWhatItCannotUse) {
  auto held_out = world_with_shortcut(1, 400), tuning = world_with_shortcut(2, 400);
  for (const auto criterion : {Criterion::sfit, Criterion::guarded_sfit}) {
    auto options = quick();
    options.neurontune.select.criterion = criterion;
    EXPECT_ERROR_OF(OptionError, repaired(held_out, tuning, options),
                    "repair() has inferred_groups and worst_group");
  }
  auto options = quick();
  options.anchored.penalties = {};
  EXPECT_ERROR_OF(OptionError, repaired(held_out, tuning, options), "penalties");
  options = quick();
  options.shortcut.folds = 1;
  EXPECT_ERROR_OF(OptionError, repaired(held_out, tuning, options), "folds is 1");
  held_out.embeddings[7][3] = NAN;
  EXPECT_ERROR(repaired(held_out, tuning), "row 7, dimension 3 is nan");
  held_out = world_with_shortcut(1, 400);
  tuning.labels.zero_();
  EXPECT_ERROR(repaired(held_out, tuning), "the tuning split");
}

class RepairOnDevice : public OnDevice {};

/// Accuracies are held against counting sample by sample, the repair against true groups.
TEST_P(RepairOnDevice, RepairsTheWorstGroupAndJudgesTheErmHeadAsItIs) {
  const auto held_out = world_with_shortcut(1, 3000, 0.95);
  const auto tuning = world_with_shortcut(2, 3000, 0.95);
  const auto found =
      repair(there(held_out.data()), there(tuning.data()), there(held_out.erm), quick());
  EXPECT_EQ(found.head.weight.device(), device());
  EXPECT_EQ(found.shortcut.verdict, ShortcutVerdict::supported);
  EXPECT_EQ(found.acceptance, Acceptance::trade);
  expect_first_candidate_is_selected(found);
  expect_ranked(found);

  const auto counted = [](const Head& head, const World& on) {
    return straight_accuracy(head, {on.embeddings, on.labels, on.attributes, {}});
  };
  const auto erm = counted(held_out.erm, held_out);
  EXPECT_EQ(found.erm.accuracy.samples, erm.all.samples);
  EXPECT_DOUBLE_EQ(found.erm.accuracy.mean_accuracy, erm.all.accuracy());
  EXPECT_DOUBLE_EQ(found.erm.accuracy.worst_class_accuracy, erm.worst_class());
  const auto test = world_with_shortcut(201);
  EXPECT_LT(counted(held_out.erm, test).worst_group(), 0.1);
  EXPECT_GT(counted(found.head, test).worst_group(), 0.7) << describe(found.settings);
}

TEST_P(RepairOnDevice, TakesAttributesOfAnyDevice) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto known = attributes_of_some(held_out, 20);
  const auto found = repair(there(held_out.data()), there(tuning.data()), there(held_out.erm),
                            by_worst_group(), {}, there(known));
  EXPECT_EQ(found.acceptance, Acceptance::known);
}

NEURONTUNE_ON_EVERY_DEVICE(RepairOnDevice);

TEST(TuneHead, RunsTheMethodOfTheCriterion) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  auto options = quick();
  const auto tuned = [&] {
    return tune_head(held_out.data(), tuning.data(), held_out.erm, options, {});
  };
  const auto by_groups = tuned();
  ASSERT_NE(by_groups.repair(), nullptr);
  EXPECT_TRUE(by_groups.head().weight.equal(repaired(held_out, tuning).head.weight));
  options.neurontune.select.criterion = Criterion::sfit;
  options.neurontune.tune.batches_per_epoch = 30;
  options.neurontune.tune.learning_rate = 1e-2;
  const auto by_sfit = tuned();
  EXPECT_EQ(by_sfit.repair(), nullptr);
  const auto alone = neuron_tune(held_out.data(), tuning.data(), held_out.erm, options.neurontune);
  EXPECT_TRUE(by_sfit.head().weight.equal(alone.head.weight));
  EXPECT_EQ(by_sfit.epoch(), alone.selected_epoch);
  EXPECT_EQ(by_sfit.sfit(), alone.sfit);
  EXPECT_TRUE(by_sfit.masked().biased.equal(alone.biased.biased));
  EXPECT_EQ(by_sfit.settings().source, Source::neurontune);
  EXPECT_EQ(by_sfit.settings().fitted_to, FittedTo::tuning);
}

RepairResult with_settings(CandidateSettings settings) {
  RepairResult result;
  const auto masking = [](int64_t first) {
    auto biased = at::zeros({3}, at::kBool);
    biased[first] = true;
    return BiasedDimensions{biased, biased.logical_not().to(at::kFloat)};
  };
  result.neurontune.biased = masking(0);
  result.neurontune.trajectory.resize(2);
  result.neurontune.trajectory[0].biased = masking(1);
  result.neurontune.trajectory[1].biased = masking(2);
  result.settings = settings;
  result.candidates.resize(1);
  result.candidates[0].settings = settings;
  return result;
}

TEST(TunedHead, SaysWhatIsMaskedInIt) {
  const auto flagged = [](CandidateSettings settings) {
    const auto masked = TunedHead{with_settings(settings)}.masked();
    EXPECT_TRUE(masked.biased.logical_not().equal(masked.mask.ne(0)));
    return masked.biased;
  };
  const auto only = [](int64_t dimension) { return at::arange(3).eq(dimension); };
  EXPECT_TRUE(flagged({Source::neurontune, FittedTo::tuning, 1}).equal(only(1)));
  EXPECT_TRUE(flagged({Source::neurontune, FittedTo::tuning, 2}).equal(only(2)));
  EXPECT_TRUE(flagged({Source::neurontune, FittedTo::held_out, 1}).equal(only(0)));
  for (const auto source : {Source::erm, Source::balanced, Source::rebalanced})
    EXPECT_TRUE(flagged({source}).equal(only(-1)));
}

TEST(TunedHead, HasAnEpochOnlyWhereItIsOne) {
  const auto epoch = [](CandidateSettings settings) {
    return TunedHead{with_settings(settings)}.epoch();
  };
  EXPECT_EQ(epoch({}), 0);
  EXPECT_EQ(epoch({Source::neurontune, FittedTo::both, 2}), 2);
  EXPECT_EQ(epoch({Source::balanced, FittedTo::both}), std::nullopt);
  NeuronTuneResult kept;
  kept.selected_epoch = 0;
  EXPECT_EQ(TunedHead{kept}.epoch(), 0);
  EXPECT_EQ(TunedHead{kept}.settings().source, Source::erm);
}

}  // namespace
}  // namespace neurontune
