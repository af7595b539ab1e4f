#include "compare/sweep_effects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Points of a sweep that all gave the same until a test says otherwise.
class SweepEffectsTest : public testing::Test {
 protected:
  void sweep(const std::vector<Sweep>& sweeps, const std::string& recipe) {
    const auto config = with_settings({}, {{"", "recipe", recipe}});
    for (const auto& settings : grid(sweeps)) {
      points.push_back({settings, with_settings(config, settings)});
      AblationPoint report;
      for (const auto& setting : settings) report.settings.emplace_back(setting.key, setting.text);
      report.runs.push_back({0, Source::neurontune, 3, 5, 0.5, {}, {}});
      report.test = {{"mean_accuracy", summarise(std::vector<double>{0.75})}};
      reports.push_back(report);
    }
  }
  std::vector<std::string> warnings() const { return sweeps_without_effect(points, reports); }

  std::vector<SweepPoint> points;
  std::vector<AblationPoint> reports;
};

TEST_F(SweepEffectsTest, AKeyThatIsNotUsedIsNamedWithWhatItIsUsedWith) {
  sweep({{"select.guard", {"0", "0.1"}}}, "paper");
  EXPECT_THAT(
      warnings(),
      ElementsAre("the sweep of select.guard changes no result: 0, 0.1 give the same; it is "
                  "used only with select.criterion guarded_sfit, and recipe paper as it is "
                  "set here has another"));
}

TEST_F(SweepEffectsTest, OneThatIsUsedIsNotExcused) {
  sweep({{"select.guard", {"0", "0.1"}}}, "guarded");
  EXPECT_THAT(warnings(), ElementsAre(Not(HasSubstr("used only with"))));
}

TEST_F(SweepEffectsTest, OfAChoiceOfOtherHeadsItIsSaidWhich) {
  sweep({{"identify.mask_value", {"0", "1"}}}, "robust");
  for (auto& report : reports) report.runs[0].source = Source::rebalanced;
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("with recipe robust every run selected rebalanced "
                                                "among the candidates, not a head of NeuronTune")));
}

TEST_F(SweepEffectsTest, AnyFigureThatDiffersIsAnEffect) {
  sweep({{"identify.mask_value", {"0", "1"}}}, "paper");
  const auto same = reports;
  reports[1].test[0].second = summarise(std::vector<double>{0.5});
  EXPECT_THAT(warnings(), IsEmpty());
  reports = same;
  reports[1].runs[0].sfit = 0.25;
  EXPECT_THAT(warnings(), IsEmpty());
  reports = same;
  reports[1].runs[0].biased = 6;
  EXPECT_THAT(warnings(), IsEmpty());
  reports = same;
  reports[1].failure = "nothing is left";
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(SweepEffectsTest, OfSeveralKeysThoseAreNamedThatChangeNothing) {
  sweep({{"identify.mask_value", {"0", "1"}}, {"select.guard", {"0", "0.1"}}}, "paper");
  for (const std::size_t masked : {2U, 3U}) reports[masked].runs[0].biased = 0;
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("the sweep of select.guard ")));
  reports[3].runs[0].biased = 1;
  EXPECT_THAT(warnings(), IsEmpty()) << "where the mask is 1 the guard has an effect";
}

TEST_F(SweepEffectsTest, ASingleValueIsNoSweep) {
  sweep({{"select.guard", {"0.1"}}}, "paper");
  EXPECT_THAT(warnings(), IsEmpty());
}

}  // namespace
}  // namespace neurontune
