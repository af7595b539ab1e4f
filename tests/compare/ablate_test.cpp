#include "neurontune/compare/ablate.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compare/quick_comparison.h"
#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/run.h"
#include "straight_accuracy.h"

namespace neurontune {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(const std::vector<std::vector<SettingFlag>>& points) {
  std::vector<std::string> lines;
  for (const auto& point : points) {
    lines.emplace_back();
    for (const auto& setting : point) lines.back() += setting.key + "=" + setting.text + " ";
  }
  return lines;
}

TEST(Sweep, IsAKeyAndItsValues) {
  const auto sweep = Sweep::parse("splits.identify=val:1/2,train");
  EXPECT_EQ(sweep.key, "splits.identify");
  EXPECT_THAT(sweep.values, ElementsAre("val:1/2", "train"));
  for (const auto* text : {"", "tune.epochs", "tune.epochs=", "tune.epochs=1,,2", "=1"})
    EXPECT_THROW(Sweep::parse(text), OptionError) << text;
}

TEST(Sweep, ChangesSettingsOfTheMethodOnly) {
  for (const auto* text : {"seed=1,2", "device=cpu", "threads=1", "model.path=a", "data.path=a"})
    EXPECT_THROW(Sweep::parse(text), OptionError) << text;
  for (const auto* text : {"recipe=paper", "identify.mask_value=0", "tune.epochs=1",
                           "select.guard=0", "shortcut.rounds=2", "splits.tune=train"})
    EXPECT_NO_THROW(Sweep::parse(text)) << text;
}

TEST(Grid, IsEveryCombinationTheLastGoingRoundFirst) {
  EXPECT_THAT(texts(grid({{"tune.epochs", {"1", "2"}}, {"tune.start", {"erm", "fresh"}}})),
              ElementsAre("tune.epochs=1 tune.start=erm ", "tune.epochs=1 tune.start=fresh ",
                          "tune.epochs=2 tune.start=erm ", "tune.epochs=2 tune.start=fresh "));
  EXPECT_THAT(texts(grid({})), ElementsAre(""));
}

TEST(Grid, ARecipeStandsFirst) {
  EXPECT_THAT(texts(grid({{"tune.epochs", {"1"}}, {"recipe", {"paper"}}})),
              ElementsAre("recipe=paper tune.epochs=1 "));
}

TEST(Grid, IsNoLargerThanAnyoneWaitsFor) {
  const std::vector<std::string> hundred(100, "1");
  EXPECT_NO_THROW(grid({{"tune.epochs", hundred}, {"tune.batch_size", hundred}}));
  EXPECT_ERROR_OF(
      OptionError,
      grid({{"tune.epochs", hundred}, {"tune.batch_size", hundred}, {"tune.refresh", {"0", "1"}}}),
      "the values combine to over 10000 points");
}

TEST(Grid, RefusesAKeySweptTwice) {
  EXPECT_THROW(grid({{"tune.epochs", {"1"}}, {"tune.epochs", {"2"}}}), OptionError);
}

/// The paper's method at two numbers of epochs.
class AblateTest : public TemporaryFolderTest {
 protected:
  AblateTest() : data(folder() / "embeddings"), out(folder() / "out") {
    std::filesystem::create_directory(data);
    write_world(data);
    const auto config = with_settings(
        quick_config(data), {{"", "recipe", "paper"}, {"", "identify.keep_at_least", "8"}});
    for (const auto& settings : grid({{"tune.epochs", {"1", "3"}}}))
      options.points.push_back({settings, with_settings(config, settings)});
  }
  AblationReport run() const { return ablate(options, out); }

  std::filesystem::path data, out;
  AblateOptions options;
};

TEST_F(AblateTest, EveryPointIsWhatRunGives) {
  for (auto& point : options.points) point.config.seed = 3;
  const auto report = run();
  ASSERT_EQ(report.points.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& config = options.points[i].config;
    const auto alone = neurontune::run(config, folder() / ("run " + std::to_string(i)));
    const auto& point = report.points[i];
    EXPECT_EQ(point.settings.at(0).second, std::to_string(config.tune.epochs));
    EXPECT_EQ(point.runs.at(0).selected_epoch, alone.report.result.epoch());
    EXPECT_EQ(point.runs.at(0).sfit, alone.report.result.sfit());
    EXPECT_EQ(find(point.test, "worst_group_accuracy")->mean,
              alone.report.tuned.at("test").groups.value().worst_group_accuracy);
  }
}

TEST_F(AblateTest, TheErmHeadsFiguresAreThoseOfCountingSampleBySample) {
  const auto opened = EmbeddingFolder::open(data);
  const auto straight = straight_accuracy(opened.head(), opened.split("test"));
  const auto erm = run().erm;
  EXPECT_DOUBLE_EQ(erm.accuracy.mean_accuracy, straight.all.accuracy());
  EXPECT_DOUBLE_EQ(erm.groups.value().worst_group_accuracy, straight.worst_group());
}

TEST_F(AblateTest, SeedsFollowThePoints) {
  options.seeds = 2;
  options.points[0].config.seed = options.points[1].config.seed = 8;
  const auto report = run();
  EXPECT_THAT(report.seeds, ElementsAre(8, 9));
  EXPECT_EQ(report.points[1].runs.at(0).seed, 8U);
  EXPECT_EQ(report.points[1].runs.at(1).seed, 9U);
}

TEST_F(AblateTest, TheTrajectoryIsThereWhereItWasAskedFor) {
  EXPECT_TRUE(run().points[1].runs.at(0).trajectory.empty());
  options.trajectory = true;
  const auto trajectory = run().points[1].runs.at(0).trajectory;
  ASSERT_EQ(trajectory.size(), 3U);
  EXPECT_EQ(trajectory[2].epoch, 3);
  EXPECT_EQ(trajectory[2].test.accuracy.samples, 300);
}

TEST_F(AblateTest, APointThatFailsSaysWhyAndTheOthersGoOn) {
  options.points[0].config.tune.learning_rate = 1e38;
  const auto report = run();
  EXPECT_THAT(report.points[0].failure, testing::HasSubstr("infinite"));
  EXPECT_TRUE(report.points[0].runs.empty());
  EXPECT_EQ(report.points[1].failure, "");
  options.points.pop_back();
  EXPECT_ERROR(run(), "no point could be run, the first because");
}

TEST_F(AblateTest, WritesItsFiles) {
  const auto report = run();
  EXPECT_EQ(read(out / "ablate.json"), json_text(report) + "\n");
  EXPECT_EQ(read(out / "ablate.csv"), ablation_csv(report));
}

TEST_F(AblateTest, WhatCannotBeRunIsSaidBeforehand) {
  options.seeds = 0;
  EXPECT_ERROR_OF(OptionError, run(), "seeds is 0");
  options.seeds = 1;
  options.points[1].config.tune.epochs = 0;
  EXPECT_ERROR_OF(OptionError, run(), "epochs is 0");
  options.points.pop_back();
  options.points[0].config.splits.identify = "held:1/2";
  EXPECT_ERROR(run(), "no split `held`");
  std::filesystem::remove(data / "test.safetensors");
  EXPECT_ERROR(run(), "no split `test`");
}

TEST_F(AblateTest, TellsWhichPointItIsAt) {
  std::vector<std::string> stages;
  ablate(options, out, [&](std::string_view stage, int64_t, int64_t) {
    if (stages.empty() || stages.back() != stage) stages.emplace_back(stage);
  });
  EXPECT_THAT(stages, ElementsAre("ablate 1/2", "ablate 2/2"));
}

}  // namespace
}  // namespace neurontune
