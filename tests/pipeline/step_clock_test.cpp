#include "pipeline/step_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(StepClock, EachStepIsTheTimeSinceTheOneBefore) {
  std::map<std::string, double> seconds;
  StepClock clock(seconds);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  const double slow = clock.finish("slow");
  const double quick = clock.finish("quick");
  EXPECT_GE(slow, 0.03);
  EXPECT_LT(quick, slow);
  EXPECT_THAT(seconds, ElementsAre(Pair("quick", quick), Pair("slow", slow)));
}

}  // namespace
}  // namespace neurontune
