#include "neurontune/compare/comparison_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MethodReport method(const std::string& name, double worst) {
  MethodReport report;
  report.method = name;
  report.sees = {"train_labels", "val_labels"};
  report.test = {{"worst_group_accuracy", summarise(std::vector<double>{worst, worst})}};
  return report;
}

ComparisonReport report(double worst) {
  ComparisonReport comparison;
  comparison.seeds = {0, 1};
  comparison.methods = {method("erm", 0.5), method("llr", worst)};
  return comparison;
}

std::vector<std::string> findings(const ComparisonReport& report, const StoredMeans& stored,
                                  double tolerance) {
  return all_findings(baseline_checks(report, stored, tolerance));
}

TEST(ComparisonReport, EveryStoredFigureIsACheck) {
  const auto checks = baseline_checks(report(0.5), stored_means(json_text(report(0.75))), 0);
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].name, "erm: worst_group_accuracy");
  EXPECT_THAT(checks[0].findings, IsEmpty());
  EXPECT_THAT(checks[1].findings, ElementsAre(HasSubstr("short by 0.25")));
}

TEST(ComparisonReport, FallsShortOfAStoredOneByMoreThanTheTolerance) {
  const auto stored = stored_means(json_text(report(0.75)));
  EXPECT_THAT(findings(report(0.5), stored, 0.125),
              ElementsAre("llr: worst_group_accuracy is 0.5000, expected 0.7500 less 0.1250: short "
                          "by 0.1250"));
  EXPECT_THAT(findings(report(0.5), stored, 0.25), IsEmpty());
  EXPECT_THAT(findings(report(0.9), stored, 0), IsEmpty());
}

TEST(ComparisonReport, FallsShortWhereAMethodFails) {
  auto failed = report(0.75);
  failed.methods[1].test.clear();
  failed.methods[1].failure = "no mistakes";
  EXPECT_THAT(findings(failed, stored_means(json_text(report(0.75))), 1),
              ElementsAre(HasSubstr(
                  "llr: worst_group_accuracy is not there, expected 0.7500: no mistakes")));
}

TEST(ComparisonReport, FallsShortWhereAStoredMethodIsMissing) {
  auto stored = report(0.75);
  stored.methods[1].method = "afr";
  EXPECT_THAT(findings(report(0.1), stored_means(json_text(stored)), 0),
              ElementsAre(HasSubstr("afr: worst_group_accuracy is not there, expected 0.7500")));
}

TEST(ComparisonReport, RefusesWhatIsNoStoredOne) {
  for (const auto* text :
       {"", "[]", "{}", R"({"methods": {}})", R"({"methods": [1]})",
        R"({"methods": [{"method": "erm"}]})", R"({"methods": [{"method": "erm", "test": {}}]})",
        R"({"methods": [{"method": "erm", "test": {"mean_accuracy": {"mean": null}}}]})"})
    EXPECT_THROW(stored_means(text), Error) << text;
}

TEST(ComparisonReport, TablesHaveARowAMethod) {
  EXPECT_EQ(comparison_csv(report(0.75)),
            "method,oracle,sees,seconds,worst_group_accuracy_mean,worst_group_accuracy_std\n"
            "erm,0,train_labels val_labels,0.000000,0.500000,0.000000\n"
            "llr,0,train_labels val_labels,0.000000,0.750000,0.000000\n");
  EXPECT_THAT(comparison_markdown(report(0.75)),
              HasSubstr("| llr | 0.750 ± 0.000 | 0.00 | train_labels, val_labels |\n"));
}

TEST(ComparisonReport, OneSeedHasNoDeviation) {
  auto one = report(0.75);
  one.seeds = {3};
  for (auto& method : one.methods)
    method.test = {{"worst_group_accuracy", summarise(std::vector<double>{0.75})}};
  const auto text = comparison_markdown(one);
  EXPECT_THAT(text, HasSubstr("| llr | 0.750 | 0.00 |"));
  EXPECT_THAT(text, HasSubstr("Accuracy on test, of one seed."));
}

}  // namespace
}  // namespace neurontune
