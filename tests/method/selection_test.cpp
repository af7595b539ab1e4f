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

TEST(RankedCandidates, InferredGroupsTakeTheHighestLowerBoundWhateverElse) {
  const std::vector<CheckpointFigures> judged = {{std::nullopt, 0.99, 0.1},
                                                 {9.0, 0.50, 0.6},
                                                 {1.0, 0.60, 0.7},
                                                 {5.0, 0.80, std::nullopt},
                                                 {5.0, 0.80, 0.6}};
  EXPECT_THAT(ranked_candidates(judged, {Criterion::inferred_groups, 0}), ElementsAre(2, 1, 4, 0));
}

TEST(RankedCandidates, WithoutGroupsNoneIsACandidateByThem) {
  EXPECT_THAT(ranked_candidates(kTrajectory, {Criterion::inferred_groups, 0.02}), IsEmpty());
}

TEST(SelectionOptions, GroupsAreTheDefaultAndCriteriaHaveNames) {
  EXPECT_EQ(SelectionOptions().criterion, Criterion::inferred_groups);
  EXPECT_STREQ(name(Criterion::sfit), "sfit");
  EXPECT_STREQ(name(Criterion::guarded_sfit), "guarded_sfit");
  EXPECT_STREQ(name(Criterion::inferred_groups), "inferred_groups");
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

TEST(DropsTooFar, IsMoreThanMaxDropBelowErm) {
  const SelectionOptions tenth;
  EXPECT_FALSE(drops_too_far(0.8, 0.9, tenth)) << "just as far, up to rounding";
  EXPECT_TRUE(drops_too_far(0.79, 0.9, tenth));
  EXPECT_FALSE(drops_too_far(0.95, 0.9, tenth));
  EXPECT_TRUE(drops_too_far(0.89, 0.9, {Criterion::inferred_groups, 0, 0}));
  EXPECT_FALSE(drops_too_far(0, 1, {Criterion::inferred_groups, 0, 1}));
}

}  // namespace
}  // namespace neurontune
