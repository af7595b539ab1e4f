#include "metrics/accuracy_fall.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(AccuracyFall, IsWorthAWarningOverFivePoints) {
  EXPECT_EQ(accuracy_fall("held-out data", 0.944, 0.859),
            "class-balanced accuracy on held-out data fell from 94.4 % to 85.9 %");
  EXPECT_EQ(accuracy_fall("held-out data", 0.75, 0.7501 - 0.05), std::nullopt);
  EXPECT_EQ(accuracy_fall("held-out data", 0.5, 0.9), std::nullopt);
}

}  // namespace
}  // namespace neurontune
