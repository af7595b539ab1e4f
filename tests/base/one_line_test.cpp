#include "base/one_line.h"

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

TEST(OneLine, BytesThatAreNotUtf8AreShownAsEscapes) {
  EXPECT_EQ(on_one_line("caf\xE9\nand caf\xC3\xA9"), "caf\\xE9 and caf\xC3\xA9");
  EXPECT_EQ(on_one_line("an escaped caf\\xE9 stays"), "an escaped caf\\xE9 stays");
}

}  // namespace
}  // namespace neurontune
