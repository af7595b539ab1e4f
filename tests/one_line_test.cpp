#include "one_line.h"

#include <gtest/gtest.h>

#include <string>

namespace neurontune {
namespace {

TEST(OneLine, BreaksWithTheBlanksAroundThemBecomeASpace) {
  EXPECT_EQ(on_one_line("images must be\n\n  square, \r\n got  2\n"),
            "images must be square, got  2");
  EXPECT_EQ(on_one_line("\n \nreason"), "reason");
  EXPECT_EQ(on_one_line(" \n"), "");
}

TEST(OneLine, LongTextEndsBetweenLetters) {
  EXPECT_EQ(on_one_line("abcdef", 4), "abcd…");
  EXPECT_EQ(on_one_line("abcd", 4), "abcd");
  EXPECT_EQ(on_one_line("aéé", 4), "aé…");
}

}  // namespace
}  // namespace neurontune
