#include "repair/judging.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tensors.h"

namespace neurontune {
namespace {

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

/// Wilson's lower bound at 90 % of `rate` in `samples`.
double wilson(double rate, double samples) {
  const double z = 1.6448536269514722;
  return (rate + z * z / (2 * samples) -
          z * std::sqrt(rate * (1 - rate) / samples + z * z / (4 * samples * samples))) /
         (1 + z * z / samples);
}

/// Four samples of each of two classes. The ERM head is wrong in 2, 3 and 7.
Judge judge_of_eight() {
  Judge judge;
  judge.labels = longs({0, 0, 0, 0, 1, 1, 1, 1});
  judge.of_erm = longs({0, 0, 1, 1, 1, 1, 1, 0});
  judge.classes = 2;
  return judge;
}

/// Right but in 1, 3 and 7.
const std::vector<int64_t> kPredicted = {0, 1, 0, 1, 1, 1, 1, 0};

TEST(Judged, RepairabilityIsWhatIsCorrectedAndWhatIsLeftClassesAlike) {
  const auto judge = judge_of_eight();
  const auto of = [&](const std::vector<int64_t>& predicted) {
    return judged(judge, {}, longs(predicted)).candidate.repairability;
  };
  // Of mistakes half of class 0's and none of class 1's; of what is right half and all.
  EXPECT_DOUBLE_EQ(of(kPredicted), (0.25 + 0.75) / 2);
  EXPECT_DOUBLE_EQ(of({0, 1, 0, 0, 1, 1, 1, 1}), (1 + 0.75) / 2);
  EXPECT_DOUBLE_EQ(of({0, 0, 0, 0, 1, 1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(of({0, 0, 1, 1, 1, 1, 1, 0}), 0.5) << "the ERM head itself";
  EXPECT_DOUBLE_EQ(of({1, 1, 0, 0, 0, 0, 0, 1}), 0.5) << "all turned";
  EXPECT_DOUBLE_EQ(of({1, 1, 1, 1, 0, 0, 0, 0}), 0);
}

TEST(Judged, AClassWithoutMistakesIsNoneOfThem) {
  auto judge = judge_of_eight();
  judge.of_erm = longs({0, 0, 1, 1, 1, 1, 1, 1});
  // Half of class 0's mistakes; half of what is right in class 0, three quarters in class 1.
  EXPECT_DOUBLE_EQ(judged(judge, {}, longs(kPredicted)).candidate.repairability,
                   (0.5 + (0.5 + 0.75) / 2) / 2);
}

TEST(Judged, WithoutMistakesRepairabilityIsOfChance) {
  auto judge = judge_of_eight();
  judge.of_erm = judge.labels.clone();
  EXPECT_DOUBLE_EQ(judged(judge, {}, longs(kPredicted)).candidate.repairability, 0.5);
  judge.of_erm = 1 - judge.labels;
  EXPECT_DOUBLE_EQ(judged(judge, {}, judge.labels).candidate.repairability, 0.5)
      << "all corrected, and nothing was right";
}

TEST(Judged, WithoutGroupsTheWorstCellIsTheWorstClass) {
  const CandidateSettings settings{Source::balanced, FittedTo::tuning};
  const auto result = judged(judge_of_eight(), settings, longs(kPredicted));
  EXPECT_EQ(result.candidate.settings.source, Source::balanced);
  EXPECT_DOUBLE_EQ(result.candidate.accuracy.balanced_accuracy, 0.625);
  EXPECT_DOUBLE_EQ(result.candidate.accuracy.worst_class_accuracy, 0.5);
  EXPECT_TRUE(result.right.equal(doubles({1, 0, 1, 0, 1, 1, 1, 0})));
  EXPECT_FALSE(result.candidate.inferred);
  EXPECT_DOUBLE_EQ(result.candidate.worst_lower, wilson(0.5, 14));  // 4 and 10 of the prior
  EXPECT_TRUE(result.in_worst_cell.equal(doubles({1, 1, 1, 1, 0, 0, 0, 0})));
}

/// Groups of the six samples in the middle: 1, 3 and 4 … 6 of one value, 2 of the other.
Judge judge_with_groups(Judge::Cells cells) {
  auto judge = judge_of_eight();
  judge.rows = longs({1, 2, 3, 4, 5, 6});
  judge.beliefs = doubles({1, 0, 0.25, 0.75, 1, 0, 1, 0, 1, 0, 1, 0}).view({6, 2});
  judge.cells = cells;
  return judge;
}

TEST(Judged, AnInferredGroupThatIsWorseThanEveryClassIsTheWorstCell) {
  const auto result =
      judged(judge_with_groups(Judge::Cells::classes_and_groups), {}, longs(kPredicted));
  // Of class 0 the first group has 2.25 samples, 0.25 of it right, the second 0.75, all of it.
  const double first = 12.25, second = 10.75;
  const double mean = (0.25 / first + 0.75 / second) / (2.25 / first + 0.75 / second);
  const double rate = (0.25 + 10 * mean) / first;
  ASSERT_LT(wilson(rate, first), wilson(0.5, 14));
  EXPECT_DOUBLE_EQ(result.candidate.worst_lower, wilson(rate, first));
  EXPECT_DOUBLE_EQ(result.candidate.inferred->worst_lower(), wilson(rate, first));
  EXPECT_TRUE(result.in_worst_cell.equal(doubles({0, 1, 0.25, 1, 0, 0, 0, 0})));
}

TEST(Judged, AClassThatIsWorseThanEveryGroupIsTheWorstCell) {
  // Wrong in 0 alone, which is of no group, and then in all of class 0 that are of none.
  auto judge = judge_with_groups(Judge::Cells::classes_and_groups);
  judge.rows = longs({4, 5, 6, 7});
  judge.beliefs = at::ones({4, 1}, at::kDouble);
  const auto predicted = longs({1, 1, 1, 1, 1, 1, 1, 1});
  const auto of_both = judged(judge, {}, predicted);
  EXPECT_DOUBLE_EQ(of_both.candidate.worst_lower, wilson(0, 14));
  EXPECT_TRUE(of_both.in_worst_cell.equal(doubles({1, 1, 1, 1, 0, 0, 0, 0})));
  judge.cells = Judge::Cells::groups;
  const auto of_groups = judged(judge, {}, predicted);
  EXPECT_DOUBLE_EQ(of_groups.candidate.worst_lower, wilson(1, 14)) << "classes do not count";
  EXPECT_TRUE(of_groups.in_worst_cell.equal(doubles({0, 0, 0, 0, 1, 1, 1, 1})));
}

TEST(Judged, GroupsThatAreNotTrustedAreGivenAndDoNotCount) {
  const auto result = judged(judge_with_groups(Judge::Cells::classes), {}, longs(kPredicted));
  EXPECT_TRUE(result.candidate.inferred.has_value());
  EXPECT_DOUBLE_EQ(result.candidate.worst_lower, wilson(0.5, 14));
  EXPECT_TRUE(result.in_worst_cell.equal(doubles({1, 1, 1, 1, 0, 0, 0, 0})));
}

TEST(Judged, ByKnownGroupsSamplesOfUnknownOnesDoNotCount) {
  auto judge = judge_of_eight();
  judge.rows = longs({0, 1, 4, 7});
  judge.beliefs = at::one_hot(longs({0, 1, 0, 1}), 2).to(at::kDouble);
  judge.cells = Judge::Cells::groups;
  const auto result = judged(judge, {}, longs(kPredicted));
  // 1 and 7 are wrong: of equals the first label's group.
  EXPECT_EQ(result.candidate.inferred->worst_attribute, 1);
  EXPECT_TRUE(result.in_worst_cell.equal(doubles({0, 1, 0, 0, 0, 0, 0, 0})));
  EXPECT_DOUBLE_EQ(result.candidate.worst_lower, wilson(5.0 / 11, 11));
}

Judgement judgement(double worst_lower, double balanced, const std::vector<double>& right,
                    const std::vector<double>& cell) {
  Judgement result;
  result.candidate.worst_lower = worst_lower;
  result.candidate.accuracy.balanced_accuracy = balanced;
  result.right = doubles(right);
  result.in_worst_cell = doubles(cell);
  return result;
}

using Order = std::vector<std::size_t>;

TEST(Ranked, OfNoCandidatesIsEmpty) { EXPECT_EQ(ranked({}), Order()); }

TEST(Ranked, IsByTheLowerBoundAndOfEqualsTheEarlierIsFirst) {
  const std::vector<double> right = {1, 1}, cell = {1, 1};
  EXPECT_EQ(ranked({judgement(0.2, 0.5, right, cell), judgement(0.6, 0.5, right, cell),
                    judgement(0.2, 0.5, right, cell), judgement(0.6, 0.5, right, cell)}),
            (Order{1, 3, 0, 2}));
}

/// √(variance / n) of the differences 0, 0, 0, 1: a mean of 1/4, a variance of 3/16.
const double kStandardError = std::sqrt(3.0 / 16 / 4);

TEST(Ranked, TheMostAccurateWithinOneStandardErrorOfTheFirstIsPicked) {
  const std::vector<double> all = {1, 1, 1, 1};
  const auto best = judgement(0.8, 0.7, {1, 1, 1, 1}, all);
  const auto behind = [&](double by, double balanced) {
    return judgement(0.8 - by, balanced, {1, 1, 1, 0}, all);
  };
  EXPECT_EQ(ranked({best, behind(kStandardError - 1e-9, 0.75)}), (Order{1, 0}));
  EXPECT_EQ(ranked({best, behind(kStandardError + 1e-9, 0.75)}), (Order{0, 1}));
  EXPECT_EQ(ranked({best, behind(0.01, 0.7)}), (Order{0, 1})) << "no more accurate";
  EXPECT_EQ(ranked({behind(0.01, 0.7), best}), (Order{1, 0}));
  EXPECT_EQ(ranked({best, behind(0.01, 0.75), behind(0.02, 0.9), behind(0.5, 1)}),
            (Order{2, 0, 1, 3}));
  EXPECT_EQ(ranked({best, behind(0.02, 0.9), behind(0.01, 0.9)}), (Order{2, 0, 1}))
      << "of as accurate ones that of the higher bound";
}

TEST(Ranked, TheStandardErrorIsThatInTheCandidatesOwnWorstCell) {
  const auto best = judgement(0.8, 0.7, {1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1});
  const std::vector<double> right = {1, 1, 1, 0, 1, 1, 1, 1};
  const auto in = [&](const std::vector<double>& cell) {
    return ranked({best, judgement(0.8 - kStandardError + 1e-9, 0.75, right, cell)});
  };
  EXPECT_EQ(in({1, 1, 1, 1, 0, 0, 0, 0}), (Order{1, 0}));
  EXPECT_EQ(in({1, 1, 1, 1, 1, 1, 1, 1}), (Order{0, 1})) << "a smaller error";
  EXPECT_EQ(in({0, 0, 0, 0, 1, 1, 1, 1}), (Order{0, 1})) << "no difference";
  EXPECT_EQ(in({0, 0, 0, 0.9, 0, 0, 0, 0}), (Order{0, 1})) << "less than one sample";
}

TEST(Ranked, SamplesCountAsMuchAsTheyBelongToTheCell) {
  const auto best = judgement(0.8, 0.7, {1, 1}, {1, 1});
  // A difference of 1 in a quarter of a cell of two samples: 2 · 0.75 and 2 · 0.25.
  const double error = std::sqrt(0.25 * 0.75 / 2);
  const auto behind = [&](double by) {
    return ranked({best, judgement(0.8 - by, 0.75, {1, 0}, {1.5, 0.5})});
  };
  EXPECT_EQ(behind(error - 1e-9), (Order{1, 0}));
  EXPECT_EQ(behind(error + 1e-9), (Order{0, 1}));
}

TEST(Ranked, WithoutADifferenceOnlyEqualsArePicked) {
  const std::vector<double> right = {1, 0}, cell = {1, 1};
  EXPECT_EQ(ranked({judgement(0.5, 0.6, right, cell), judgement(0.5, 0.7, right, cell)}),
            (Order{1, 0}));
  EXPECT_EQ(ranked({judgement(0.5, 0.6, right, cell), judgement(0.5 - 1e-9, 0.7, right, cell)}),
            (Order{0, 1}));
}

}  // namespace
}  // namespace neurontune
