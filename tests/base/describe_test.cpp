#include "base/describe.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(Joined, HasASeparatorBetweenTextsOnly) {
  EXPECT_EQ(joined({}, ", "), "");
  EXPECT_EQ(joined({"a"}, ", "), "a");
  EXPECT_EQ(joined({"a", "", "b"}, " and "), "a and  and b");
}

TEST(Describe, OfAShapeHasBrackets) {
  EXPECT_EQ(describe(at::IntArrayRef{19867, 2048}), "[19867, 2048]");
  EXPECT_EQ(describe(at::IntArrayRef{}), "[]");
}

TEST(Listed, JoinsWithCommas) {
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b, c");
}

TEST(Listed, CountsWhatItLeavesOut) {
  const std::vector<std::string> thousand(1000, "x");
  EXPECT_EQ(listed(thousand), "x, x, x, x, x, x, x, x, x, x and 990 more");
  EXPECT_EQ(listed({"a", "b", "c"}, 2), "a, b and 1 more");
  EXPECT_EQ(listed({"a", "b", "c"}, 3), "a, b, c");
}

}  // namespace
}  // namespace neurontune
