#include "neurontune/compare/ablation_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// Two points over the mask value, of which the second failed.
AblationReport report() {
  AblationReport report;
  report.embeddings = "out/embeddings";
  report.device = "cpu";
  report.dimensions = 8;
  report.seeds = {3, 4};
  report.warnings = {"of the data"};
  AblationPoint done, failed;
  done.settings = {{"identify.mask_value", "0.5"}};
  done.runs = {{3, Source::neurontune, 7, 2, 1.5, {"of the run"}, {}},
               {4, Source::erm, {}, 0, {}, {}, {}}};
  done.test = {{"worst_group_accuracy", summarise(std::vector<double>{0.5, 0.75})}};
  done.seconds = 0.25;
  failed.settings = {{"identify.mask_value", "1"}};
  failed.failure = "no mistakes, and no mask";
  report.points = {done, failed};
  return report;
}

Json parsed(const AblationReport& report) { return Json::parse(json_text(report)); }

TEST(AblationReport, JsonHasAPointsSettingsRunsAndFigures) {
  const auto json = parsed(report());
  EXPECT_EQ(json.at("dimensions"), 8);
  EXPECT_EQ(json.at("seeds").dump(), "[3,4]");
  EXPECT_EQ(json.at("warnings").dump(), R"(["of the data"])");
  const auto& point = json.at("points").at(0);
  EXPECT_EQ(point.at("settings").dump(), R"({"identify.mask_value":"0.5"})");
  EXPECT_EQ(point.at("test").at("worst_group_accuracy").at("mean"), 0.625);
  EXPECT_EQ(point.at("seconds"), 0.25);
  EXPECT_FALSE(point.contains("failure"));
  EXPECT_EQ(point.at("runs").at(0).dump(),
            R"({"seed":3,"selected":"neurontune","selected_epoch":7,"biased":2,"sfit":1.5,)"
            R"("warnings":["of the run"]})");
  EXPECT_TRUE(point.at("runs").at(1).at("selected_epoch").is_null());
  EXPECT_TRUE(point.at("runs").at(1).at("sfit").is_null());
}

TEST(AblationReport, JsonOfAPointThatFailedSaysWhy) {
  const auto point = parsed(report()).at("points").at(1);
  EXPECT_EQ(point.at("failure"), "no mistakes, and no mask");
  EXPECT_TRUE(point.at("runs").empty());
  EXPECT_TRUE(point.at("test").empty());
}

TEST(AblationReport, JsonHasTheTrajectoryWhereItWasAskedFor) {
  auto with_epochs = report();
  EpochReport epoch{2, 0.5, 4.5, 6, {}, {}};
  epoch.identify.accuracy.mean_accuracy = 0.25;
  epoch.test.accuracy.mean_accuracy = 0.75;
  with_epochs.points[0].runs[0].trajectory = {epoch};
  const auto runs = parsed(with_epochs).at("points").at(0).at("runs");
  const auto& told = runs.at(0).at("trajectory").at(0);
  EXPECT_EQ(told.at("epoch"), 2);
  EXPECT_EQ(told.at("loss"), 0.5);
  EXPECT_EQ(told.at("sfit"), 4.5);
  EXPECT_EQ(told.at("biased"), 6);
  EXPECT_EQ(told.at("identify").at("mean_accuracy"), 0.25);
  EXPECT_EQ(told.at("test").at("mean_accuracy"), 0.75);
  EXPECT_FALSE(runs.at(1).contains("trajectory"));
}

TEST(AblationReport, CsvHasARowAPoint) {
  EXPECT_EQ(ablation_csv(report()),
            "identify.mask_value,biased,worst_group_accuracy_mean,worst_group_accuracy_std,"
            "failure\n"
            "0.5,2,0.625,0.1767766952966369,\n"
            "1,,,,\"no mistakes, and no mask\"\n");
}

TEST(AblationReport, CsvTakesItsFiguresFromThePointsThatHaveThem) {
  auto reversed = report();
  std::swap(reversed.points[0], reversed.points[1]);
  const auto text = ablation_csv(reversed);
  EXPECT_TRUE(text.starts_with("identify.mask_value,biased,worst_group_accuracy_mean")) << text;
}

}  // namespace
}  // namespace neurontune
