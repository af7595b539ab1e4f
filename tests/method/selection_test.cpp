#include "neurontune/method/selection.h"

#include "error_matchers.h"

namespace neurontune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<CheckpointFigures> kTrajectory = {
    {1, 5.0, 0.90}, {2, 9.0, 0.50}, {3, 7.0, 0.89}, {4, std::nullopt, 0.99}, {5, 7.0, 0.91}};

TEST(RankedCandidates, SfitTakesTheHighestWhateverItsAccuracy) {
  EXPECT_THAT(ranked_candidates(kTrajectory, {Criterion::sfit, 0.02}), ElementsAre(1, 2, 4, 0));
}

TEST(RankedCandidates, GuardIsHeldAgainstTheBestTunedAccuracy) {
  EXPECT_THAT(ranked_candidates({{1, 5.0, 0.90}, {2, 9.0, 0.50}, {3, 7.0, 0.88}},
                                {Criterion::guarded_sfit, 0.02}),
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
  EXPECT_THAT(ranked_candidates({{1, 3.0, 0.5}, {2, 3.0, 0.5}}, {Criterion::sfit, 0}),
              ElementsAre(0, 1));
}

TEST(SelectionOptions, GuardOutOfRangeIsRefused) {
  EXPECT_ERROR_OF(OptionError, (SelectionOptions{Criterion::sfit, 1.5}.validate()), "guard is 1.5");
}

}  // namespace
}  // namespace neurontune
