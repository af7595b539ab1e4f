#include "neurontune/compare/ablate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "neurontune/base/error.h"

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

TEST(Grid, RefusesAKeySweptTwice) {
  EXPECT_THROW(grid({{"tune.epochs", {"1"}}, {"tune.epochs", {"2"}}}), OptionError);
}

}  // namespace
}  // namespace neurontune
