#include "report/text_rows.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(TextRows, CellsOfATableLieBetweenBars) { EXPECT_EQ(markdown_row({"a", "b"}), "| a | b |\n"); }

TEST(TextRows, MarksOfMarkdownAreShownAsTheyAre) {
  EXPECT_EQ(markdown_text("a|b *c* <d> [e]"), R"(a\|b \*c\* \<d\> \[e\])");
  EXPECT_EQ(markdown_text("two\nlines"), R"(two\\x0Alines)");
}

}  // namespace
}  // namespace neurontune
