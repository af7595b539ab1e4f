#include "neurontune/metrics/group_accuracy.h"

#include <ATen/ATen.h>

#include "error_matchers.h"
#include "neurontune/metrics/split_metrics.h"
#include "tensors.h"

namespace neurontune {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Optional;

TEST(AccuracyMetrics, CountsByClass) {
  const auto metrics = accuracy_metrics(longs({0, 0, 1, 1, 0}), longs({0, 0, 0, 1, 1}), 2);
  EXPECT_EQ(metrics.samples, 5);
  EXPECT_DOUBLE_EQ(metrics.mean_accuracy, 3.0 / 5);
  EXPECT_THAT(metrics.class_accuracy,
              ElementsAre(Optional(DoubleEq(2.0 / 3)), Optional(DoubleEq(0.5))));
  EXPECT_DOUBLE_EQ(metrics.balanced_accuracy, (2.0 / 3 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(metrics.worst_class_accuracy, 0.5);
}

TEST(AccuracyMetrics, AnAbsentClassHasNoAccuracyAndDoesNotCount) {
  const auto metrics = accuracy_metrics(longs({0, 2}), longs({0, 0}), 3);
  EXPECT_THAT(metrics.class_accuracy,
              ElementsAre(Optional(DoubleEq(0.5)), std::nullopt, std::nullopt));
  EXPECT_DOUBLE_EQ(metrics.balanced_accuracy, 0.5);
}

TEST(AccuracyMetrics, LabelOutOfRangeIsNamedWithItsRow) {
  EXPECT_ERROR(accuracy_metrics(longs({0, 0}), longs({0, 5}), 2),
               "labels hold 5 in row 1, expected 0 to 1");
}

TEST(GroupMetrics, WorstGroupIsTheLeastAccurateOfThosePresent) {
  // Groups (label, attribute): (0,0) 2 of 2, (0,1) 1 of 2, (1,1) 0 of 1; (1,0) has no sample.
  const auto metrics =
      group_metrics(longs({0, 0, 0, 1, 0}), longs({0, 0, 0, 0, 1}), longs({0, 0, 1, 1, 1}), 2, 2);
  ASSERT_EQ(metrics.groups.size(), 3u);
  EXPECT_DOUBLE_EQ(metrics.groups[1].accuracy, 0.5);
  EXPECT_DOUBLE_EQ(metrics.worst_group_accuracy, 0);
  EXPECT_EQ(metrics.groups[metrics.worst_group].label, 1);
  EXPECT_EQ(metrics.groups[metrics.worst_group].attribute, 1);
  EXPECT_FALSE(metrics.adjusted_mean_accuracy);
}

TEST(GroupMetrics, AdjustedMeanWeighsGroupsByTheirShareOfTrain) {
  const auto train = group_counts(longs({0, 0, 0, 1}), longs({0, 0, 1, 0}), 2, 2);
  EXPECT_EQ(train, (GroupCounts{{{0, 0}, 2}, {{0, 1}, 1}, {{1, 0}, 1}}));
  // Accuracies: (0,0) 1, (0,1) 0, (1,1) 1, which train has none of.
  const auto metrics =
      group_metrics(longs({0, 1, 1}), longs({0, 0, 1}), longs({0, 1, 1}), 2, 2, train);
  EXPECT_THAT(metrics.adjusted_mean_accuracy, Optional(DoubleEq(2.0 / 3)));
}

TEST(GroupMetrics, NoGroupInCommonWithTrainGivesNoAdjustedMean) {
  const auto train = group_counts(longs({0}), longs({0}), 2, 2);
  EXPECT_FALSE(
      group_metrics(longs({1}), longs({1}), longs({1}), 2, 2, train).adjusted_mean_accuracy);
}

TEST(GroupMetrics, SamplesOfUnknownAttributeAreInNoGroup) {
  const auto predictions = longs({0, 1, 1, 0}), labels = longs({0, 0, 1, 1});
  const auto metrics = group_metrics(predictions, labels, longs({0, -1, 1, -1}), 2, 2);
  ASSERT_EQ(metrics.groups.size(), 2U);
  EXPECT_DOUBLE_EQ(metrics.worst_group_accuracy, 1);
  EXPECT_EQ(metrics.unknown, 2);
  EXPECT_EQ(group_counts(labels, longs({0, -1, 1, -1}), 2, 2),
            (GroupCounts{{{0, 0}, 1}, {{1, 1}, 1}}));
  EXPECT_ERROR(group_metrics(predictions, labels, longs({-1, -1, -1, -1}), 2, 2),
               "attributes are all unknown");
  EXPECT_ERROR(group_metrics(predictions, labels, longs({0, -2, 0, 0}), 2, 2),
               "attributes hold -2 in row 1");
}

TEST(GroupMetrics, AnAttributeMayBeAnyNumber) {
  const int64_t large = (int64_t{1} << 31) - 1;
  const auto metrics =
      group_metrics(longs({0, 1}), longs({0, 1}), longs({large, 3}), 1 << 20, large + 1,
                    group_counts(longs({0}), longs({large}), 1 << 20, large + 1));
  ASSERT_EQ(metrics.groups.size(), 2U);
  EXPECT_EQ(metrics.groups[0].attribute, large);
  EXPECT_THAT(metrics.adjusted_mean_accuracy, Optional(DoubleEq(1)));
}

TEST(SplitMetrics, WithoutAKnownAttributeThereAreNoGroups) {
  const GroupSpace space{2, 2, {}};
  EXPECT_FALSE(split_metrics(longs({0, 1}), longs({0, 1}), {}, space).groups);
  EXPECT_FALSE(split_metrics(longs({0, 1}), longs({0, 1}), longs({-1, -1}), space).groups);
  const auto metrics = split_metrics(longs({0, 1}), longs({0, 0}), longs({0, -1}), space);
  EXPECT_DOUBLE_EQ(metrics.accuracy.mean_accuracy, 0.5) << "of all samples";
  EXPECT_DOUBLE_EQ(metrics.groups->worst_group_accuracy, 1);
}

}  // namespace
}  // namespace neurontune
