#include "neurontune/metrics/seed_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace neurontune {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

SplitMetrics metrics(double mean, std::optional<double> adjusted) {
  SplitMetrics of_seed;
  of_seed.accuracy.mean_accuracy = mean;
  of_seed.accuracy.worst_class_accuracy = mean / 2;
  of_seed.groups = GroupMetrics{{}, mean / 4, 0, adjusted};
  return of_seed;
}

TEST(SeedSummary, DeviationIsThatOfASample) {
  const auto summary = summarise(std::vector<double>{1, 2, 6});
  EXPECT_THAT(summary.mean, DoubleEq(3));
  EXPECT_THAT(summary.standard_deviation, DoubleEq(std::sqrt(7.0)));  // (4 + 1 + 9) / 2
  EXPECT_THAT(summary.values, ElementsAre(1, 2, 6));
}

TEST(SeedSummary, OfOneSeedDeviatesByNothing) {
  EXPECT_EQ(summarise(std::vector<double>{0.7}).standard_deviation, 0);
}

TEST(SeedSummary, NamesTheFiguresOfTheMetricBlock) {
  const auto summaries = summarise({metrics(0.8, 0.9), metrics(0.4, 0.7)});
  std::vector<std::string> names;
  for (const auto& [name, summary] : summaries) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("mean_accuracy", "adjusted_mean_accuracy", "worst_group_accuracy",
                                 "worst_class_accuracy"));
  EXPECT_THAT(find(summaries, "adjusted_mean_accuracy")->values, ElementsAre(0.9, 0.7));
  EXPECT_THAT(find(summaries, "worst_group_accuracy")->mean, DoubleEq(0.15));
}

TEST(SeedSummary, LeavesOutWhatASeedDoesNotHave) {
  const auto summaries = summarise({metrics(0.8, 0.9), metrics(0.4, std::nullopt)});
  EXPECT_EQ(find(summaries, "adjusted_mean_accuracy"), nullptr);
  EXPECT_NE(find(summaries, "worst_group_accuracy"), nullptr);
}

}  // namespace
}  // namespace neurontune
