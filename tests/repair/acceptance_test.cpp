#include "repair/acceptance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace neurontune {
namespace {

constexpr double kBalanced = 0.9, kWorst = 0.8;  // of the ERM head
constexpr double kPays = 2.0 / 3;                // of repairability, just enough
constexpr double kAtOnce = 1e-9;                 // more than rounding

Candidate judged_at(double balanced, double worst, double repairability = 1) {
  Candidate candidate;
  candidate.settings = {Source::balanced, FittedTo::tuning};
  candidate.accuracy.balanced_accuracy = balanced;
  candidate.accuracy.worst_class_accuracy = worst;
  candidate.repairability = repairability;
  return candidate;
}

SelectionOptions by_groups(double max_drop = 0.1) {
  return {Criterion::inferred_groups, 0.02, max_drop};
}

Acceptance accepted(const Candidate& candidate,
                    ShortcutVerdict verdict = ShortcutVerdict::supported,
                    const SelectionOptions& options = by_groups()) {
  auto erm = judged_at(kBalanced, kWorst);
  erm.settings = {};
  return acceptance(candidate, erm, verdict, options);
}

TEST(Acceptance, TheErmHeadIsKeptWhateverElse) {
  auto erm = judged_at(0, 0, 0);
  erm.settings = {};
  for (const auto verdict :
       {ShortcutVerdict::supported, ShortcutVerdict::unsupported, ShortcutVerdict::undecided})
    EXPECT_EQ(accepted(erm, verdict), Acceptance::kept);
  EXPECT_EQ(accepted(erm, ShortcutVerdict::undecided, {Criterion::worst_group}), Acceptance::kept);
}

TEST(Acceptance, WhatCostsNothingIsFreeWhateverTheEvidence) {
  for (const auto verdict :
       {ShortcutVerdict::supported, ShortcutVerdict::unsupported, ShortcutVerdict::undecided}) {
    EXPECT_EQ(accepted(judged_at(kBalanced, kWorst, 0), verdict), Acceptance::free);
    EXPECT_EQ(accepted(judged_at(kBalanced - 1e-15, kWorst - 1e-15, 0), verdict), Acceptance::free);
    EXPECT_EQ(accepted(judged_at(1, 1, 0), verdict), Acceptance::free);
  }
}

TEST(Acceptance, EitherAccuracyBelowTheErmHeadsIsACost) {
  for (const auto& candidate :
       {judged_at(kBalanced - kAtOnce, 1), judged_at(1, kWorst - kAtOnce)}) {
    EXPECT_EQ(accepted(candidate, ShortcutVerdict::supported), Acceptance::trade);
    EXPECT_EQ(accepted(candidate, ShortcutVerdict::unsupported), Acceptance::refused);
    EXPECT_EQ(accepted(candidate, ShortcutVerdict::undecided), Acceptance::refused);
  }
}

TEST(Acceptance, ATradeTakesARepairabilityOfTwoThirds) {
  EXPECT_EQ(accepted(judged_at(0.85, 0.7, kPays)), Acceptance::trade);
  EXPECT_EQ(accepted(judged_at(0.85, 0.7, kPays - kAtOnce)), Acceptance::refused);
  EXPECT_EQ(accepted(judged_at(0.85, 0.7, NAN)), Acceptance::refused);
}

TEST(Acceptance, ATradeCostsAtMostMaxDrop) {
  EXPECT_EQ(accepted(judged_at(0.8, 0.1)), Acceptance::trade) << "0.1 up to rounding";
  EXPECT_EQ(accepted(judged_at(0.8 - kAtOnce, 0.1)), Acceptance::refused);
  const auto little = judged_at(kBalanced - 0.01, kWorst);
  EXPECT_EQ(accepted(little, ShortcutVerdict::supported, by_groups(0.005)), Acceptance::refused);
  EXPECT_EQ(accepted(little, ShortcutVerdict::supported, by_groups(0.015)), Acceptance::trade);
  EXPECT_EQ(accepted(judged_at(0, 0), ShortcutVerdict::supported, by_groups(1)), Acceptance::trade);
}

TEST(Acceptance, AWorstClassThatFallsIsATradeOfNoBalancedAccuracy) {
  EXPECT_EQ(accepted(judged_at(kBalanced, 0.1), ShortcutVerdict::supported, by_groups(0)),
            Acceptance::trade);
}

TEST(Acceptance, OfKnownGroupsNothingIsRefused) {
  for (const auto verdict : {ShortcutVerdict::supported, ShortcutVerdict::undecided})
    for (const double accuracy : {0.0, 1.0})
      EXPECT_EQ(accepted(judged_at(accuracy, accuracy, 0), verdict, {Criterion::worst_group, 0, 0}),
                Acceptance::known);
}

TEST(Acceptance, HasNames) {
  EXPECT_STREQ(name(Acceptance::kept), "kept");
  EXPECT_STREQ(name(Acceptance::free), "free");
  EXPECT_STREQ(name(Acceptance::trade), "trade");
  EXPECT_STREQ(name(Acceptance::known), "known");
  EXPECT_STREQ(name(Acceptance::refused), "refused");
}

TEST(CandidateSettings, SourcesAndDataHaveNames) {
  EXPECT_STREQ(name(Source::erm), "erm");
  EXPECT_STREQ(name(Source::bias_shift), "bias_shift");
  EXPECT_STREQ(name(Source::anchored), "anchored");
  EXPECT_STREQ(name(Source::balanced), "balanced");
  EXPECT_STREQ(name(Source::neurontune), "neurontune");
  EXPECT_STREQ(name(Source::rebalanced), "rebalanced");
  EXPECT_STREQ(name(FittedTo::nothing), "nothing");
  EXPECT_STREQ(name(FittedTo::tuning), "tuning");
  EXPECT_STREQ(name(FittedTo::held_out), "held_out");
  EXPECT_STREQ(name(FittedTo::both), "both");
}

}  // namespace
}  // namespace neurontune
