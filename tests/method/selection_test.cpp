#include "neurontune/method/selection.h"

#include <cmath>

#include "error_matchers.h"

namespace neurontune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<CheckpointFigures> kTrajectory = {
    {5.0, 0.90}, {9.0, 0.50}, {7.0, 0.89}, {std::nullopt, 0.99}, {7.0, 0.91}};

TEST(RankedCandidates, SfitTakesTheHighestWhateverItsAccuracy) {
  EXPECT_THAT(ranked_candidates(kTrajectory, {Criterion::sfit, 0.02}), ElementsAre(1, 2, 4, 0));
}

TEST(RankedCandidates, GuardIsHeldAgainstTheBestTunedAccuracy) {
  EXPECT_THAT(
      ranked_candidates({{5.0, 0.90}, {9.0, 0.50}, {7.0, 0.88}}, {Criterion::guarded_sfit, 0.02}),
      ElementsAre(2, 0));
}

TEST(RankedCandidates, AGuardOfOneAdmitsEveryEpochWithAnSfit) {
  EXPECT_THAT(ranked_candidates(kTrajectory, {Criterion::guarded_sfit, 1.0}),
              ElementsAre(1, 2, 4, 0));
}

TEST(RankedCandidates, AnEpochWithoutSfitIsNoCandidateButSetsTheGuard) {
  EXPECT_THAT(ranked_candidates(kTrajectory, {Criterion::guarded_sfit, 0.02}), IsEmpty());
}

TEST(RankedCandidates, OfEqualsTheEarlierComesFirst) {
  EXPECT_THAT(ranked_candidates({{3.0, 0.5}, {3.0, 0.5}}, {Criterion::sfit, 0}), ElementsAre(0, 1));
}

TEST(Criterion, TheTwoOfThePaperAreNotRepairs) {
  EXPECT_EQ(SelectionOptions().criterion, Criterion::sfit);
  EXPECT_FALSE(is_of_repair(Criterion::sfit));
  EXPECT_FALSE(is_of_repair(Criterion::guarded_sfit));
  EXPECT_TRUE(is_of_repair(Criterion::inferred_groups));
  EXPECT_TRUE(is_of_repair(Criterion::worst_group));
}

TEST(Criterion, HasNames) {
  EXPECT_STREQ(name(Criterion::sfit), "sfit");
  EXPECT_STREQ(name(Criterion::guarded_sfit), "guarded_sfit");
  EXPECT_STREQ(name(Criterion::inferred_groups), "inferred_groups");
  EXPECT_STREQ(name(Criterion::worst_group), "worst_group");
}

TEST(SelectionOptions, GuardOutOfRangeIsRefused) {
  EXPECT_ERROR_OF(OptionError, (SelectionOptions{Criterion::sfit, 1.5}.validate()), "guard is 1.5");
}

TEST(SelectionOptions, MaxDropOutOfRangeIsRefused) {
  EXPECT_ERROR_OF(OptionError, (SelectionOptions{Criterion::sfit, 0, 1.5}.validate()),
                  "max_drop is 1.5, expected 0 to 1");
  EXPECT_ERROR_OF(OptionError, (SelectionOptions{Criterion::sfit, 0, NAN}.validate()),
                  "max_drop is nan");
}

}  // namespace
}  // namespace neurontune
