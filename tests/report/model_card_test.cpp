#include "report/model_card.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/yaml_text.h"
#include "neurontune/metrics/split_metrics.h"

namespace neurontune {
namespace {

using testing::HasSubstr;
using testing::Not;

SplitMetrics metrics(double accuracy, bool grouped) {
  SplitMetrics metrics;
  metrics.accuracy = {100, accuracy, {accuracy, std::nullopt}, accuracy, accuracy};
  if (!grouped) return metrics;
  metrics.groups.emplace();
  metrics.groups->groups = {{0, 0, 60, 1.0}, {0, 1, 40, accuracy / 2}};
  metrics.groups->worst_group_accuracy = accuracy / 2;
  metrics.groups->worst_group = 1;
  return metrics;
}

/// A report of the paper's method that selected its third epoch, with three of eight dimensions
/// masked.
RunReport report(bool grouped = true) {
  RunReport report;
  report.recipe = "paper";
  report.criterion = "sfit";
  report.seed = 5;
  NeuronTuneResult result;
  result.selected_epoch = 3;
  result.biased = {at::arange(8).lt(3), at::arange(8).ge(3).to(at::kFloat)};
  report.result = {result};
  report.erm = {{"test", metrics(0.5, grouped)}, {"val", metrics(0.7, grouped)}};
  report.tuned = {{"test", metrics(0.8, grouped)}, {"val", metrics(0.9, grouped)}};
  report.warnings = {"a *warning* of this run"};
  return report;
}

const CardSource kSource = {"erm", "photos", "val", "train", {{"cat", "dog"}, {"day", "night"}}};

/// The YAML between the first two lines of dashes.
nlohmann::ordered_json front_matter(const std::string& card) {
  EXPECT_TRUE(card.starts_with("---\n"));
  return parse_yaml(card.substr(4, card.find("\n---\n", 4) - 3));
}

TEST(ModelCard, FrontMatterIsAModelIndexOfTheTestSplit) {
  const auto json = front_matter(model_card(report(), kSource));
  const auto& model = json.at("model-index").at(0);
  EXPECT_EQ(model.at("name"), "erm");
  const auto& result = model.at("results").at(0);
  EXPECT_EQ(result.at("dataset").at("name"), "photos");
  EXPECT_EQ(result.at("dataset").at("split"), "test");
  EXPECT_TRUE(result.at("task").contains("type"));
  const auto& first = result.at("metrics").at(0);
  EXPECT_EQ(first.at("type"), "worst_group_accuracy");
  EXPECT_EQ(first.at("value"), 0.4);
  EXPECT_EQ(result.at("metrics").at(1).at("value"), 0.25);
  EXPECT_EQ(result.at("metrics").at(1).at("name"), "Worst-group accuracy before the repair");
}

TEST(ModelCard, SaysWhereTheSplitAlsoSelectedTheHead) {
  EXPECT_THAT(model_card(report(), kSource), Not(HasSubstr("also selected the head")));
  auto of_test = kSource;
  of_test.identify = "test:1/2";
  EXPECT_THAT(model_card(report(), of_test), HasSubstr("samples, which also selected the head"));
}

TEST(ModelCard, FiguresThatAreNotKnownAreLeftOut) {
  const auto card = model_card(report(/*grouped=*/false), kSource);
  const auto json = front_matter(card);
  for (const auto& metric : json.at("model-index").at(0).at("results").at(0).at("metrics")) {
    EXPECT_NE(metric.at("type"), "worst_group_accuracy");
    EXPECT_TRUE(metric.at("value").is_number());
  }
  EXPECT_THAT(card, HasSubstr("accuracy in true groups is not known"));
  EXPECT_THAT(card, Not(HasSubstr("By group")));
  EXPECT_THAT(card, HasSubstr("| dog | – | – |"));
}

TEST(ModelCard, SaysTheFiguresOfEachGroupAndWhatWasDone) {
  const auto card = model_card(report(), kSource);
  EXPECT_THAT(card, HasSubstr("# erm, repaired by NeuronTune"));
  EXPECT_THAT(card, HasSubstr("| cat | night | 40 | 0.250 | 0.400 |"));
  EXPECT_THAT(card, HasSubstr("The head is epoch 3 of class-balanced retraining"));
  EXPECT_THAT(card, HasSubstr("3 of 8 dimensions masked"));
  EXPECT_THAT(card, HasSubstr("test (100), val (100)"));
  EXPECT_THAT(card, HasSubstr(R"(- Warning of this run: a \*warning\* of this run)"));
  EXPECT_EQ(card, model_card(report(), kSource));
}

TEST(ModelCard, OfNoTestSplitSpeaksOfTheLast) {
  auto without = report();
  without.erm.erase("test");
  without.tuned.erase("test");
  const auto card = model_card(without, kSource);
  EXPECT_EQ(
      front_matter(card).at("model-index").at(0).at("results").at(0).at("dataset").at("split"),
      "val");
}

TEST(ModelCard, NamesOfAnyBytesAreQuoted) {
  CardSource hostile = kSource;
  hostile.model = "a: \"b\"\n---\n# c";
  hostile.data = "it's {x}, [y]\t\xFF";
  hostile.names.labels = {"a|b\n| c", "<script>"};
  const auto card = model_card(report(), hostile);
  const auto json = front_matter(card);
  EXPECT_EQ(json.at("model-index").at(0).at("name"), R"(a: "b"\x0A---\x0A# c)");
  EXPECT_EQ(json.at("model-index").at(0).at("results").at(0).at("dataset").at("name"),
            R"(it's {x}, [y]\x09\xFF)");
  EXPECT_THAT(card, HasSubstr(R"(| a\|b\\x0A\| c | night | 40 |)"));
  EXPECT_THAT(card, Not(HasSubstr("<script>"))) << "dog's row";
}

}  // namespace
}  // namespace neurontune
