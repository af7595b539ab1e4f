#include "neurontune/metrics/wilson_interval.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

// Of scipy.stats.binomtest(correct, samples).proportion_ci(confidence, "wilson"), at the confidence
// whose z is the one given: 0.95000421 for 1.96, 0.68268949 for 1.
void expect_interval(double correct, double samples, double lower, double upper, double z = 1.96) {
  const auto interval = wilson_interval(correct, samples, z);
  EXPECT_NEAR(interval.lower, lower, 1e-12) << correct << " of " << samples;
  EXPECT_NEAR(interval.upper, upper, 1e-12) << correct << " of " << samples;
}

TEST(WilsonInterval, IsScipys) {
  expect_interval(8, 10, 0.4901568467207233, 0.9433190520193067);
  expect_interval(263, 300, 0.8346254157811879, 0.9091832002871842);
  expect_interval(1, 1, 0.20654329147389272, 1);
  expect_interval(3, 7, 0.2623087779433162, 0.6126912220566838, 1);
}

TEST(WilsonInterval, HoldsTheShareAndStaysWithinZeroAndOne) {
  expect_interval(0, 10, 0, 0.27754016876661675);
  expect_interval(10, 10, 0.7224598312333832, 1);
  for (int samples = 1; samples < 200; ++samples)
    for (int correct = 0; correct <= samples; ++correct) {
      const auto interval = wilson_interval(correct, samples);
      const double share = static_cast<double>(correct) / samples;
      EXPECT_LE(0, interval.lower);
      EXPECT_LE(interval.lower, share);
      EXPECT_LE(share, interval.upper);
      EXPECT_LE(interval.upper, 1);
    }
}

TEST(WilsonInterval, OfNoSampleIsAnything) {
  EXPECT_EQ(wilson_interval(0, 0).lower, 0);
  EXPECT_EQ(wilson_interval(0, 0).upper, 1);
}

}  // namespace
}  // namespace neurontune
