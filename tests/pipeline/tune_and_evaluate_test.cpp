#include "pipeline/tune_and_evaluate.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "straight_accuracy.h"
#include "worlds.h"

namespace neurontune {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

TEST(StartedReport, SaysWhichSettingsItIsOfAndNothingElse) {
  Config config;
  config.recipe = "guarded";
  config.seed = 7;
  config.select.criterion = Criterion::guarded_sfit;
  const auto report = started_report(config, at::Device("cuda:1"));
  EXPECT_EQ(report.recipe, "guarded");
  EXPECT_EQ(report.criterion, "guarded_sfit");
  EXPECT_EQ(report.seed, 7U);
  EXPECT_EQ(report.device, "cuda:1");
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_THAT(report.seconds, IsEmpty());
}

/// The paper's method, a few quick epochs, on worlds with a shortcut and a head in float64.
class TuneAndEvaluateTest : public testing::Test {
 protected:
  TuneAndEvaluateTest() {
    std::map<std::string, EmbeddingSplit> splits;
    Head erm;
    uint64_t seed = 1;
    for (const auto* name : {"train", "val", "test"}) {
      const auto world = world_with_shortcut(seed++, 300);
      splits[name] = {world.embeddings, world.labels, world.attributes, {}};
      erm = to(world.erm, at::kCPU, at::kDouble);
    }
    folder = EmbeddingFolder::of_tensors(splits, erm);
    config = with_settings({}, {{"", "recipe", "paper"},
                                {"", "identify.keep_at_least", "8"},
                                {"", "tune.epochs", "2"},
                                {"", "tune.batches_per_epoch", "20"},
                                {"", "tune.learning_rate", "0.1"}});
  }

  RunReport run(const std::vector<std::string>& data_warnings = {}, const ProgressFn& progress = {},
                const LogFn& log = {}) const {
    auto report = started_report(config, at::kCPU);
    StepClock clock(report.seconds);
    tune_and_evaluate(config, folder, data_warnings, report, clock, progress, log);
    return report;
  }

  LabelledEmbeddings selected(const std::string& split) const {
    const auto part = folder.select(SplitSelector::parse(split));
    return {part.embeddings, part.labels};
  }

  Config config;
  EmbeddingFolder folder;
};

TEST_F(TuneAndEvaluateTest, TheHeadIsIdentifiedAndTunedOnTheSplitsOfTheConfig) {
  config.splits.identify = "val:1/2";
  config.splits.tune = "test:2/2";
  const auto expected = neuron_tune(selected("val:1/2"), selected("test:2/2"), folder.head(),
                                    neuron_tune_options(config));
  const auto head = run().result.head();
  EXPECT_TRUE(head.weight.equal(expected.head.weight));
  EXPECT_TRUE(head.bias.equal(expected.head.bias));
}

TEST_F(TuneAndEvaluateTest, ACriterionOfKnownGroupsHasTheAttributesOfThePart) {
  config.splits.identify = "val:2/2";
  config.select.criterion = Criterion::worst_group;
  const auto attributes = folder.select(SplitSelector::parse("val:2/2")).attributes;
  const auto expected = repair(selected("val:2/2"), selected("train"), folder.head(),
                               repair_options(config), {}, attributes);
  const auto report = run();
  ASSERT_NE(report.result.repair(), nullptr);
  EXPECT_TRUE(report.result.head().weight.equal(expected.head.weight));
  EXPECT_DOUBLE_EQ(report.result.repair()->erm.worst_lower, expected.erm.worst_lower);
}

void expect_figures(const std::map<std::string, SplitMetrics>& found, const Head& head,
                    const EmbeddingFolder& folder) {
  ASSERT_EQ(found.size(), 3U);
  for (const auto& [name, metrics] : found) {
    SCOPED_TRACE(name);
    const auto straight = straight_accuracy(head, folder.split(name));
    EXPECT_DOUBLE_EQ(metrics.accuracy.mean_accuracy, straight.all.accuracy());
    ASSERT_TRUE(metrics.groups);
    EXPECT_DOUBLE_EQ(metrics.groups->worst_group_accuracy, straight.worst_group());
    EXPECT_TRUE(metrics.groups->adjusted_mean_accuracy) << "by the groups of train";
  }
}

TEST_F(TuneAndEvaluateTest, BothHeadsAreMeasuredOnEverySplit) {
  const auto report = run();
  ASSERT_FALSE(report.result.head().weight.equal(folder.head().weight.to(at::kFloat)));
  expect_figures(report.erm, folder.head(), folder);
  expect_figures(report.tuned, report.result.head(), folder);
  EXPECT_THAT(report.seconds, ElementsAre(Key("evaluate"), Key("tune")));
}

TEST_F(TuneAndEvaluateTest, WarningsAreOfTheDataThenOfTheResultThenOfTheSplits) {
  config.splits.tune = config.splits.identify = "val";
  config.identify.threshold = 1000;
  const auto report = run({"of the data"});
  const auto& of_result = report.result.warnings();
  ASSERT_FALSE(of_result.empty()) << "nothing is flagged";
  ASSERT_EQ(report.warnings.size(), of_result.size() + 2);
  EXPECT_EQ(report.warnings.front(), "of the data");
  EXPECT_TRUE(std::equal(of_result.begin(), of_result.end(), report.warnings.begin() + 1));
  EXPECT_EQ(report.warnings.back(),
            "the identification and tuning splits share samples of val: figures on held-out data "
            "are too optimistic");
}

TEST_F(TuneAndEvaluateTest, OnlySplitsThatShareSamplesAreWarnedOf) {
  const auto warned = [&](const std::string& identify, const std::string& tune) {
    config.splits.identify = identify;
    config.splits.tune = tune;
    const auto warnings = run().warnings;
    return testing::Value(warnings, Contains(HasSubstr("share samples")));
  };
  EXPECT_TRUE(warned("val:1/2", "val"));
  EXPECT_FALSE(warned("val:1/2", "val:2/2"));
  EXPECT_FALSE(warned("val", "train"));
}

TEST_F(TuneAndEvaluateTest, EpochsAreToldAndHowManyDimensionsAreMasked) {
  std::vector<int64_t> epochs;
  std::vector<std::string> messages;
  const auto report = run(
      {}, [&](std::string_view, int64_t done, int64_t) { epochs.push_back(done); },
      [&](LogLevel level, std::string_view message) {
        if (level == LogLevel::info) messages.emplace_back(message);
      });
  EXPECT_THAT(epochs, ElementsAre(1, 2));
  const auto& flags = report.result.neurontune().biased.biased;
  int64_t masked = 0;
  for (int64_t dimension = 0; dimension < World::kDimensions; ++dimension)
    masked += flags[dimension].item<bool>() ? 1 : 0;
  ASSERT_GT(masked, 0);
  EXPECT_THAT(messages, ElementsAre("masked " + std::to_string(masked) + " of 40 dimensions"));
}

}  // namespace
}  // namespace neurontune
