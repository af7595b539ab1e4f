#include "repair/candidate_family.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "neurontune/repair/bias_shift.h"
#include "neurontune/shortcut/inferred_groups.h"
#include "neurontune/shortcut/rebalanced_retraining.h"
#include "tensors.h"
#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Embeddings that name their row.
LabelledEmbeddings rows_of(const at::Tensor& labels, double first = 0) {
  const auto rows = at::arange(labels.size(0)).to(at::kFloat) + first;
  return {rows.unsqueeze(1), labels};
}

std::vector<int64_t> rows_in(const LabelledEmbeddings& data) {
  const auto rows = data.embeddings.squeeze(1).to(at::kLong);
  return {rows.const_data_ptr<int64_t>(), rows.const_data_ptr<int64_t>() + rows.size(0)};
}

TEST(Thinned, KeepsEvenlySpacedSamplesOfEachClassInOrder) {
  const auto labels = longs({0, 0, 1, 0, 0, 1, 0, 0, 0, 2});
  const auto data = thinned(rows_of(labels), 3, 3);
  // Of class 0's seven, 0, 1, 3, 4, 6, 7, 8: places 0, 7 / 3 and 14 / 3.
  EXPECT_THAT(rows_in(data), ElementsAre(0, 2, 3, 5, 6, 9));
  EXPECT_TRUE(data.labels.equal(longs({0, 1, 0, 1, 0, 2})));
}

TEST(Thinned, OfManySamplesEachClassHasTheMostAndNoneTwice) {
  for (const int64_t samples : {4096, 4097, 5000, 100000}) {
    const auto labels = at::zeros({samples}, at::kLong);
    const auto rows = rows_in(thinned(rows_of(labels), 1));
    ASSERT_EQ(rows.size(), 4096U);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_NEAR(static_cast<double>(rows[i]),
                  static_cast<double>(i) * static_cast<double>(samples) / 4096, 1);
      ASSERT_TRUE(i == 0 || rows[i] > rows[i - 1]);
    }
  }
}

TEST(Thinned, LeavesWhatIsFewAndClassesThatAreAbsent) {
  const auto labels = longs({2, 0, 2});
  const auto data = thinned(rows_of(labels), 4, 2);
  EXPECT_THAT(rows_in(data), ElementsAre(0, 1, 2));
}

FittingData fitting_rows(int64_t held_out, int64_t tuning) {
  FittingData data;
  data.some_of_held_out = rows_of(at::zeros({held_out}, at::kLong));
  data.some_of_tuning = rows_of(at::ones({tuning}, at::kLong), 100);
  return data;
}

TEST(Both, IsHeldOutDataAndAsManySamplesOfTuning) {
  const auto data = both(fitting_rows(2, 8));
  EXPECT_THAT(rows_in(data), ElementsAre(0, 1, 100, 104));
  EXPECT_TRUE(data.labels.equal(longs({0, 0, 1, 1})));
}

TEST(Both, TakesAllOfTuningThatIsSmaller) {
  EXPECT_THAT(rows_in(both(fitting_rows(3, 2))), ElementsAre(0, 1, 2, 100, 101));
  EXPECT_THAT(rows_in(both(fitting_rows(2, 2))), ElementsAre(0, 1, 100, 101));
}

/// Two splits of a world with a shortcut, its groups and its mask.
struct Problem {
  World held_out = world_with_shortcut(1, 600), tuning = world_with_shortcut(2, 900);
  InferredGroups groups =
      infer_groups(held_out.data(), predictions(held_out.erm, held_out.embeddings), 2);
  RepairOptions options;

  Problem() {
    options.neurontune.tune.epochs = 2;
    options.neurontune.tune.batches_per_epoch = 5;
    options.anchored.penalties = {1, 0.1};
    options.anchored.gammas = {0, 4};
  }
  FittingData data() const {
    FittingData data;
    data.held_out = data.some_of_held_out = held_out.data();
    data.tuning = data.some_of_tuning = tuning.data();
    data.erm = held_out.erm;
    data.groups = &groups;
    data.mask = identify(held_out.data(), held_out.erm, options.neurontune.identify).biased.mask;
    return data;
  }
  /// The members of all families, in order, by what they are called.
  std::vector<std::string> members(const FittingData& of, bool has_groups) const {
    std::vector<std::string> names;
    for (const auto& family : candidate_families(of.erm, has_groups, options)) {
      const auto fitted = family->fit(of);
      EXPECT_EQ(fitted.settings.size(), fitted.heads.size());
      for (const auto& settings : fitted.settings)
        names.push_back(std::string(name(settings.source)) + " " + name(settings.fitted_to));
    }
    return names;
  }
  /// What the family of a source and of data fits.
  CandidateFamily::Fitted fitted(const FittingData& of, Source source, FittedTo which) const {
    for (const auto& family : candidate_families(of.erm, true, options)) {
      auto found = family->fit(of);
      if (!found.settings.empty() && found.settings[0].source == source &&
          found.settings[0].fitted_to == which)
        return found;
    }
    ADD_FAILURE() << "no family of " << name(source) << " on " << name(which);
    return {};
  }
};

TEST(CandidateFamilies, FitWhatTheyNameTheSimplestFirst) {
  const Problem problem;
  EXPECT_THAT(
      problem.members(problem.data(), true),
      ElementsAre("erm nothing", "bias_shift held_out", "anchored held_out", "anchored held_out",
                  "anchored held_out", "anchored held_out", "balanced tuning", "balanced held_out",
                  "balanced both", "neurontune tuning", "neurontune tuning", "neurontune held_out",
                  "neurontune held_out", "neurontune both", "neurontune both", "rebalanced tuning",
                  "rebalanced held_out", "rebalanced both"));
}

TEST(CandidateFamilies, WithoutGroupsNoneIsRebalanced) {
  const Problem problem;
  auto data = problem.data();
  data.groups = nullptr;
  EXPECT_EQ(problem.members(data, false).size(), 15U);
  EXPECT_THAT(problem.members(data, false), testing::Not(Contains(HasSubstr("rebalanced"))));
}

TEST(CandidateFamilies, WithoutABiasNoneIsShifted) {
  const Problem problem;
  auto data = problem.data();
  data.erm.bias = at::Tensor();
  EXPECT_EQ(problem.members(data, true).size(), 17U);
  EXPECT_THAT(problem.members(data, true), testing::Not(Contains(HasSubstr("bias_shift"))));
}

TEST(CandidateFamilies, WithoutAMaskThereAreNoEpochs) {
  const Problem problem;
  auto data = problem.data();
  data.mask = at::Tensor();
  EXPECT_EQ(problem.members(data, true).size(), 12U);
  EXPECT_THAT(problem.members(data, true), testing::Not(Contains(HasSubstr("neurontune"))));
}

TEST(CandidateFamilies, OfSeveralLayersThereAreTheErmHeadAndEpochs) {
  const Problem problem;
  auto data = problem.data();
  auto later = std::make_shared<LaterLayers>();
  later->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>&) { return hidden; };
  later->classes = 2;
  data.erm.later_layers = later;
  EXPECT_THAT(
      problem.members(data, true),
      ElementsAre("erm nothing", "neurontune tuning", "neurontune tuning", "neurontune held_out",
                  "neurontune held_out", "neurontune both", "neurontune both"));
}

TEST(CandidateFamilies, ShiftAndAnchorAsTheFunctionsDo) {
  const Problem problem;
  const auto data = problem.data();
  const auto shifted = problem.fitted(data, Source::bias_shift, FittedTo::held_out);
  EXPECT_TRUE(shifted.heads.at(0).bias.equal(shift_biases(data.held_out, data.erm).bias));
  const auto near = problem.fitted(data, Source::anchored, FittedTo::held_out);
  const auto expected = anchored_heads(data.held_out, data.erm, problem.options.anchored);
  const auto settings = anchored_settings(problem.options.anchored);
  ASSERT_EQ(near.heads.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(near.heads[i].weight.equal(expected[i].weight));
    EXPECT_EQ(near.settings[i].penalty, settings[i].penalty);
    EXPECT_EQ(near.settings[i].gamma, settings[i].gamma);
  }
}

TEST(CandidateFamilies, BalanceClassesAndGroups) {
  const Problem problem;
  const auto data = problem.data();
  const auto whole = at::ones({World::kDimensions});
  for (const auto which : {FittedTo::tuning, FittedTo::held_out, FittedTo::both}) {
    SCOPED_TRACE(name(which));
    const auto samples = which == FittedTo::tuning     ? data.tuning
                         : which == FittedTo::held_out ? data.held_out
                                                       : both(data);
    RebalancedRetrainer by_classes(samples, data.erm);
    const auto one_value = at::ones({samples.labels.size(0), 1}, at::kDouble);
    EXPECT_TRUE(
        problem.fitted(data, Source::balanced, which)
            .heads.at(0)
            .weight.equal(
                by_classes.fit(rebalancing_weights(samples.labels, one_value, 2), whole).weight));
    RebalancedRetrainer by_groups(samples, data.erm);
    EXPECT_TRUE(problem.fitted(data, Source::rebalanced, which)
                    .heads.at(0)
                    .weight.equal(by_groups
                                      .fit(rebalancing_weights(samples, problem.groups), whole,
                                           problem.groups.effects())
                                      .weight));
  }
}

TEST(CandidateFamilies, EpochsAreThoseOfThePapersMethod) {
  Problem problem;
  for (const int64_t refresh : {0, 1}) {
    problem.options.neurontune.tune.refresh = refresh;
    const auto data = problem.data();
    auto paper = problem.options.neurontune;
    paper.select.criterion = Criterion::sfit;
    for (const auto which : {FittedTo::tuning, FittedTo::held_out, FittedTo::both}) {
      SCOPED_TRACE(name(which));
      const auto samples = which == FittedTo::tuning     ? data.tuning
                           : which == FittedTo::held_out ? data.held_out
                                                         : both(data);
      const auto expected = neuron_tune(data.held_out, samples, data.erm, paper).trajectory;
      const auto fitted = problem.fitted(data, Source::neurontune, which);
      ASSERT_EQ(fitted.heads.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(fitted.settings[i].epoch, static_cast<int64_t>(i) + 1);
        EXPECT_TRUE(fitted.heads[i].weight.equal(expected[i].head.weight));
        EXPECT_TRUE(fitted.heads[i].bias.equal(expected[i].head.bias));
      }
    }
  }
}

TEST(CandidateFamilies, EpochsThatWereRunAreTaken) {
  const Problem problem;
  auto data = problem.data();
  NeuronTuneResult run;
  run.trajectory.resize(1);
  run.trajectory[0].epoch = 1;
  run.trajectory[0].head = data.erm;
  data.neurontune = &run;
  const auto fitted = problem.fitted(data, Source::neurontune, FittedTo::tuning);
  ASSERT_EQ(fitted.heads.size(), 1U);
  EXPECT_TRUE(fitted.heads[0].weight.equal(data.erm.weight));
  EXPECT_EQ(problem.fitted(data, Source::neurontune, FittedTo::held_out).heads.size(), 2U);
}

TEST(CandidateFamilies, EpochsEndBeforeOneThatIsInfinite) {
  Problem problem;
  problem.options.neurontune.tune.learning_rate = 1e38;
  EXPECT_EQ(problem.members(problem.data(), true).size(), 12U);
}

TEST(CandidateFamilies, WhatIsFittedToTuningAloneIsFittedOnce) {
  const Problem problem;
  auto data = problem.data();
  auto families = candidate_families(data.erm, true, problem.options);
  for (auto& family : families) {
    const auto first = family->fit(data);
    auto fewer = data;
    fewer.held_out = fewer.some_of_held_out = {data.held_out.embeddings.slice(0, 0, 300),
                                               data.held_out.labels.slice(0, 0, 300)};
    const auto second = family->fit(fewer);
    const auto& of = first.settings.at(0);
    if (of.source == Source::erm || of.source == Source::neurontune) continue;
    const bool is_of_tuning = of.fitted_to == FittedTo::tuning;
    EXPECT_EQ(first.heads.at(0).bias.equal(second.heads.at(0).bias), is_of_tuning)
        << name(of.source) << " " << name(of.fitted_to);
  }
}

}  // namespace
}  // namespace neurontune
