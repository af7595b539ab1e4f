#include "neurontune/report/conclusion.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

InferredAccuracy accuracy(double rate, double lower, double upper) {
  const auto one = [](double value) { return at::full({1, 1}, value, at::kDouble); };
  return {one(50), one(rate), one(lower), one(upper)};
}

/// A run that picked the head of `source`.
NeuronTuneResult picked(Source source, ShortcutVerdict verdict) {
  NeuronTuneResult result;
  result.source = source;
  result.biased.biased = at::tensor({1, 0, 1, 0}).to(at::kBool);
  result.shortcut.emplace();
  result.shortcut->verdict = verdict;
  result.shortcut->reason = "the data say so";
  result.erm_inferred = accuracy(0.25, 0.125, 0.375);
  Checkpoint selected;
  selected.source = source;
  selected.inferred = accuracy(0.75, 0.625, 0.875);
  if (source == Source::erm) selected.inferred = result.erm_inferred;
  if (source == Source::neurontune) result.selected_epoch = selected.epoch = 7;
  result.candidates = {selected, Checkpoint(), Checkpoint()};
  return result;
}

TEST(Conclusion, OfARebalancedHeadSaysWhyAndGivesBothIntervals) {
  EXPECT_EQ(conclusion(picked(Source::rebalanced, ShortcutVerdict::supported)),
            "The head was retrained on rebalanced inferred groups, of 3 candidates the one whose "
            "worst inferred group is surest to be right. The data say so. Its accuracy in the "
            "worst of them went from 25.0 % (12.5 % to 37.5 %) to 75.0 % (62.5 % to 87.5 %) on "
            "held-out data.");
}

TEST(Conclusion, NamesTheHead) {
  const auto supported = [](Source source) {
    return conclusion(picked(source, ShortcutVerdict::supported));
  };
  EXPECT_THAT(supported(Source::neurontune),
              HasSubstr("The head is epoch 7 of class-balanced retraining behind a mask of 2 "
                        "dimensions, of 3 candidates"));
  EXPECT_THAT(supported(Source::erm), HasSubstr("The ERM head is kept, of 3 candidates"));
}

TEST(Conclusion, OfTheErmHeadThatIsKeptHasOneInterval) {
  EXPECT_EQ(
      conclusion(picked(Source::erm, ShortcutVerdict::unsupported)),
      "The ERM head is kept: there is too little evidence of a shortcut behind its mistakes. The "
      "data say so. Its accuracy in the worst of them is 25.0 % (12.5 % to 37.5 %) on held-out "
      "data.");
}

TEST(Conclusion, OfUndecidedDataHasNoFigures) {
  auto result = picked(Source::erm, ShortcutVerdict::undecided);
  result.erm_inferred.reset();
  result.candidates.front().inferred.reset();
  EXPECT_EQ(conclusion(result),
            "The ERM head is kept: nothing can be said of a shortcut behind its mistakes. The data "
            "say so.");
}

TEST(Conclusion, BySfitSpeaksOfNoGroups) {
  auto result = picked(Source::neurontune, ShortcutVerdict::supported);
  result.shortcut.reset();
  EXPECT_EQ(conclusion(result),
            "The head is epoch 7 of class-balanced retraining behind a mask of 2 dimensions, "
            "picked of 3 by its spuriousness fitness score.");
  result.source = Source::erm;
  EXPECT_EQ(conclusion(result), "The ERM head is kept: no epoch has a spuriousness fitness score.");
}

TEST(Conclusion, SaysHowManyHeadsAreRefused) {
  auto result = picked(Source::rebalanced, ShortcutVerdict::supported);
  result.refused = 2;
  EXPECT_THAT(
      conclusion(result),
      HasSubstr("held-out data. 2 heads are refused, since their class-balanced accuracy on "
                "held-out data is further below the ERM head's than max_drop allows."));
  result.refused = 1;
  result.candidates.resize(1);
  EXPECT_THAT(conclusion(result), HasSubstr(" One head is refused, since its class-balanced"));
  EXPECT_THAT(conclusion(result), HasSubstr("of 1 candidate the one"));
}

TEST(Conclusion, OfARunHasTheRunsFigures) {
  const auto held_out = world_with_shortcut(1, 3000, 0.95);
  const auto tuning = world_with_shortcut(2, 3000, 0.95);
  NeuronTuneOptions options;
  options.tune.epochs = 1;
  options.tune.batches_per_epoch = 1;
  options.select.max_drop = 1;
  const auto result = neuron_tune(held_out.data(), tuning.data(), held_out.erm, options);
  const auto text = conclusion(result);
  EXPECT_THAT(text, HasSubstr("retrained on rebalanced inferred groups"));
  EXPECT_THAT(text, HasSubstr(", where a shortcut takes 3.65. Its accuracy"));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace neurontune
