#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(EditDistance, CountsASwapOfNeighboursOnce) {
  EXPECT_EQ(edit_distance("rnu", "run"), 1U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("abc", "cab"), 2U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U) << "no part is changed twice";
}

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
}

TEST(NearestKnown, NamesTheNearestAndOfEqualsTheFirst) {
  EXPECT_EQ(nearest_known("sede", {"speed", "seed", "model"}), "; the nearest known one is seed");
  EXPECT_EQ(nearest_known("run", {"sun", "fun"}), "; the nearest known one is sun");
  EXPECT_EQ(nearest_known("rum", {"run"}, "; did you mean "), "; did you mean run");
}

TEST(NearestKnown, NamesNothingThatIsFar) {
  EXPECT_EQ(nearest_known("help", {"run", "demo"}), "");
  EXPECT_EQ(nearest_known("mean", {"image_mean"}), "");
  EXPECT_EQ(nearest_known("x", {"lr"}), "");
  EXPECT_EQ(nearest_known("seed", {}), "");
}

}  // namespace
}  // namespace neurontune
