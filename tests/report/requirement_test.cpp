#include "neurontune/report/requirement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SplitMetrics metrics() {
  SplitMetrics metrics;
  metrics.accuracy.samples = 10;
  metrics.accuracy.mean_accuracy = 0.5;
  metrics.accuracy.class_accuracy = {0.25, std::nullopt, 0.75};
  metrics.groups = GroupMetrics{{{0, 0, 4, 0.25}}, 0.25, 0, {}, 0};
  return metrics;
}

std::vector<std::string> unmet(const char* text) {
  return all_findings(check({Requirement::parse(text)}, metrics()));
}

TEST(Requirement, HoldsAtItsBoundOrNot) {
  EXPECT_THAT(unmet("mean_accuracy>=0.5"), IsEmpty());
  EXPECT_THAT(unmet("mean_accuracy<=0.5"), IsEmpty());
  EXPECT_THAT(unmet("mean_accuracy>0.5"), ElementsAre(HasSubstr("short by 0")));
  EXPECT_THAT(unmet("mean_accuracy<0.5"), ElementsAre(HasSubstr("over by 0")));
  EXPECT_THAT(unmet("mean_accuracy > 0.25"), IsEmpty());
}

TEST(Requirement, SaysByHowMuchItFallsShort) {
  EXPECT_THAT(unmet("worst_group_accuracy>=0.75"),
              ElementsAre("worst_group_accuracy is 0.25, required worst_group_accuracy>=0.75: "
                          "short by 0.5"));
  EXPECT_THAT(unmet("samples<=4"), ElementsAre(HasSubstr("over by 6")));
}

TEST(Requirement, OfAListHoldsForEveryNumberInIt) {
  EXPECT_THAT(unmet("class_accuracy>=0.5"),
              ElementsAre(HasSubstr("class_accuracy.0 is 0.25"),
                          HasSubstr("class_accuracy.1 is not known")));
  EXPECT_THAT(unmet("class_accuracy.2>=0.5"), IsEmpty());
  EXPECT_THAT(unmet("groups.0.accuracy>=0.5"), ElementsAre(HasSubstr("short by 0.25")));
}

TEST(Requirement, IsACheckOfItsOwn) {
  const auto checks =
      check({Requirement::parse("samples>=1"), Requirement::parse("samples > 99")}, metrics());
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].name, "samples>=1");
  EXPECT_THAT(checks[0].findings, IsEmpty());
  EXPECT_EQ(checks[1].name, "samples > 99");
  EXPECT_THAT(checks[1].findings, ElementsAre(HasSubstr("short by 89")));
}

TEST(Requirement, OnGroupsIsNotMetWithoutAttributes) {
  for (const auto* key : {"worst_group_accuracy", "worst_group_interval.0", "groups.0.accuracy"})
    EXPECT_THAT(all_findings(check({Requirement::parse(std::string(key) + ">=0")}, SplitMetrics{})),
                ElementsAre(HasSubstr("has no attributes")));
}

TEST(Requirement, OfAnUnknownKeyNamesTheNearest) {
  EXPECT_THROW(
      {
        try {
          unmet("mean_acuracy>=0.5");
        } catch (const OptionError& error) {
          EXPECT_THAT(error.what(), HasSubstr("the nearest known one is mean_accuracy"));
          throw;
        }
      },
      OptionError);
  EXPECT_THROW(unmet("class_accuracy.3>=0.5"), OptionError);
  EXPECT_THROW(unmet("groups.0>=0.5"), OptionError);
}

TEST(Requirement, IsAKeyARelationAndANumber) {
  for (const auto* text : {"", "mean_accuracy", ">=0.5", "mean_accuracy>=", "mean_accuracy>=x",
                           "mean_accuracy>=0.5x", "mean_accuracy>=inf", "mean_accuracy==0.5"})
    EXPECT_THROW(Requirement::parse(text), OptionError) << text;
}

}  // namespace
}  // namespace neurontune
