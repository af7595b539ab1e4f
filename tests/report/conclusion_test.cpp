#include "neurontune/report/conclusion.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repair/reason.h"
#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

InferredAccuracy accuracy(double rate, double lower, double upper) {
  const auto one = [](double value) { return at::full({1, 1}, value, at::kDouble); };
  return {one(50), one(rate), one(lower), one(upper)};
}

Candidate candidate(Acceptance acceptance, double balanced, double worst) {
  Candidate result;
  result.acceptance = acceptance;
  result.accuracy.balanced_accuracy = balanced;
  result.accuracy.worst_class_accuracy = worst;
  return result;
}

/// A run that picked a head on some grounds, of three candidates.
RepairResult picked(Acceptance acceptance, ShortcutVerdict verdict) {
  RepairResult result;
  result.shortcut.verdict = verdict;
  result.shortcut.reason = "the data say so";
  result.acceptance = acceptance;
  result.erm = candidate(Acceptance::kept, 0.875, 0.75);
  result.erm.inferred = accuracy(0.25, 0.125, 0.375);
  result.erm.worst_lower = 0.125;
  auto selected = result.erm;
  if (acceptance != Acceptance::kept) {
    result.settings = {Source::rebalanced, FittedTo::held_out};
    selected = candidate(acceptance, 0.8, 0.5);
    selected.settings = result.settings;
    selected.inferred = accuracy(0.75, 0.625, 0.875);
    selected.worst_lower = 0.625;
    selected.repairability = 0.75;
  }
  result.candidates = {selected, Candidate(), Candidate()};
  result.reason = reason(result);
  return result;
}

TEST(Conclusion, OfAFreeRepairNeedsNoEvidence) {
  EXPECT_EQ(conclusion(picked(Acceptance::free, ShortcutVerdict::unsupported)),
            "The head is retrained with inferred groups balanced on held-out data. It costs "
            "no held-out accuracy: class-balanced accuracy goes from 87.5 % to 80.0 % on held-out "
            "data that the "
            "head was not fitted to, the worst class's from 75.0 % to 50.0 %. That needs no "
            "evidence of a shortcut. It was selected among 3 accepted candidates.");
}

TEST(Conclusion, OfATradeSaysWhyAndGivesBothIntervals) {
  EXPECT_EQ(
      conclusion(picked(Acceptance::trade, ShortcutVerdict::supported)),
      "The head is retrained with inferred groups balanced on held-out data. It costs "
      "accuracy: class-balanced accuracy goes from 87.5 % to 80.0 % on held-out data that "
      "the head was not fitted to, the worst class's from 75.0 % to 50.0 %. That is within "
      "the allowed drop (max_drop), it corrects enough of the mistakes for what it breaks "
      "(repairability 0.75), and there is evidence of a shortcut: the data say so. It was "
      "selected among 3 accepted candidates. In the worst inferred group accuracy is estimated to "
      "go from 25.0 % "
      "(12.5 % to 37.5 %) to 75.0 % (62.5 % to 87.5 %).");
}

TEST(Conclusion, OfKnownGroupsSpeaksOfNoInferredOnes) {
  EXPECT_EQ(
      conclusion(picked(Acceptance::known, ShortcutVerdict::supported)),
      "The head is retrained with inferred groups balanced on held-out data. It was selected "
      "by its accuracy in the worst group of the held-out samples whose group is known, at least "
      "62.5 % (the ERM head: 12.5 %); class-balanced accuracy goes from 87.5 % to 80.0 % on "
      "held-out data that the head was not fitted to, the worst class's from 75.0 % to "
      "50.0 %. It was selected among 3 accepted candidates.");
}

TEST(Conclusion, OfTheErmHeadThatIsKeptSaysWhyNoneOfTheOthersIs) {
  EXPECT_EQ(conclusion(picked(Acceptance::kept, ShortcutVerdict::unsupported)),
            "The ERM head is kept. None of 2 other candidates is better on held-out data, and for "
            "a repair that costs accuracy there is too little evidence of a shortcut. The data say "
            "so.");
  EXPECT_EQ(conclusion(picked(Acceptance::kept, ShortcutVerdict::supported)),
            "The ERM head is kept. None of 2 other candidates is better on held-out data, or "
            "repairs enough for what it costs. The data say so. In the worst inferred group its "
            "accuracy is estimated at 25.0 % (12.5 % to 37.5 %).");
  auto one_other = picked(Acceptance::kept, ShortcutVerdict::supported);
  one_other.candidates.resize(2);
  EXPECT_TRUE(reason(one_other).starts_with(
      "The one other candidate is not better on held-out data, or repairs"));
  auto alone = picked(Acceptance::kept, ShortcutVerdict::undecided);
  alone.candidates.resize(1);
  alone.refused = 2;
  EXPECT_EQ(reason(alone),
            "Every other one costs held-out accuracy, and for a repair that costs accuracy the "
            "data are too few to test for a shortcut. The data say so.");
  alone.refused = 0;
  EXPECT_EQ(reason(alone), "A class has too few held-out samples to judge any other head by.");
}

TEST(Conclusion, NamesTheHead) {
  auto result = picked(Acceptance::trade, ShortcutVerdict::supported);
  const auto named = [&](CandidateSettings settings) {
    result.settings = settings;
    return conclusion(result);
  };
  EXPECT_THAT(named({Source::bias_shift, FittedTo::held_out}),
              HasSubstr("The head is the ERM head with its biases shifted so that classes are "
                        "equally accurate on held-out data."));
  EXPECT_THAT(named({Source::anchored, FittedTo::held_out, {}, 0.1, 4}),
              HasSubstr("The head is retrained near the ERM head (penalty 0.1, its mistakes "
                        "upweighted by gamma 4) on held-out data."));
  EXPECT_THAT(named({Source::anchored, FittedTo::held_out, {}, 10, 0}),
              HasSubstr("near the ERM head (penalty 10) on held-out data."));
  EXPECT_THAT(named({Source::balanced, FittedTo::tuning}),
              HasSubstr("The head is retrained with classes balanced on the tuning split."));
  EXPECT_THAT(named({Source::neurontune, FittedTo::both, 7}),
              HasSubstr("The head is epoch 7 of class-balanced retraining with the biased "
                        "dimensions masked on held-out data and as much of the tuning split."));
}

NeuronTuneResult epoch_7() {
  NeuronTuneResult result;
  result.biased.biased = at::tensor({1, 0, 1, 0}).to(at::kBool);
  result.selected_epoch = 7;
  result.reason = "It is the best.";
  return result;
}

TEST(Conclusion, OfThePapersMethodSpeaksOfNoGroups) {
  auto result = epoch_7();
  EXPECT_EQ(conclusion(result),
            "The head is epoch 7 of class-balanced retraining with 2 dimensions masked. "
            "It is the best.");
  result.biased.biased = at::tensor({1, 0, 0, 0}).to(at::kBool);
  EXPECT_THAT(conclusion(result), HasSubstr("with 1 dimension masked."));
  result.selected_epoch = 0;
  EXPECT_EQ(conclusion(result), "The ERM head is kept. It is the best.");
}

TEST(Conclusion, OfATunedHeadIsThatOfTheMethodThatMadeIt) {
  const auto repaired = picked(Acceptance::free, ShortcutVerdict::unsupported);
  EXPECT_EQ(conclusion(TunedHead{repaired}), conclusion(repaired));
  EXPECT_EQ(conclusion(TunedHead{epoch_7()}), conclusion(epoch_7()));
}

TEST(Conclusion, SaysHowManyHeadsAreRefused) {
  for (const auto acceptance : {Acceptance::trade, Acceptance::kept}) {
    auto result = picked(acceptance, ShortcutVerdict::supported);
    EXPECT_THAT(conclusion(result), Not(HasSubstr("refused")));
    result.refused = 2;
    EXPECT_THAT(
        conclusion(result),
        HasSubstr(" 2 other heads were refused because of the held-out accuracy that would be "
                  "lost."));
    result.refused = 1;
    EXPECT_THAT(conclusion(result), HasSubstr(" 1 other head was refused because of the held-out"));
  }
  auto one = picked(Acceptance::trade, ShortcutVerdict::supported);
  one.candidates.resize(1);
  one.reason = reason(one);
  EXPECT_THAT(conclusion(one), HasSubstr("selected among 1 accepted candidate."));
}

TEST(Conclusion, OfARunHasTheRunsFigures) {
  const auto held_out = world_with_shortcut(1, 3000, 0.95);
  const auto tuning = world_with_shortcut(2, 3000, 0.95);
  RepairOptions options;
  options.neurontune.tune.epochs = 1;
  options.neurontune.tune.batches_per_epoch = 1;
  options.neurontune.select.max_drop = 1;
  const auto result = repair(held_out.data(), tuning.data(), held_out.erm, options);
  const auto text = conclusion(result);
  EXPECT_THAT(text, HasSubstr("It costs accuracy: class-balanced accuracy goes from "));
  EXPECT_THAT(text, HasSubstr(", threshold 4. It was selected among "));
  EXPECT_THAT(text, HasSubstr(". In the worst inferred group accuracy is estimated to go from "));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace neurontune
