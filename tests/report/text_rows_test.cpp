#include "report/text_rows.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(TextRows, CellsOfATableLieBetweenBars) { EXPECT_EQ(markdown_row({"a", "b"}), "| a | b |\n"); }

TEST(TextRows, MarksOfMarkdownAreShownAsTheyAre) {
  EXPECT_EQ(markdown_text("a|b *c* <d> [e]"), R"(a\|b \*c\* \<d\> \[e\])");
  EXPECT_EQ(markdown_text("two\nlines"), R"(two\\x0Alines)");
}

TEST(AccuracyOverSeeds, OneSeedHasNoDeviation) {
  EXPECT_EQ(accuracy_over_seeds(1), "Accuracy on test, of one seed");
  EXPECT_EQ(accuracy_over_seeds(3), "Accuracy on test, mean ± standard deviation over 3 seeds");
}

}  // namespace
}  // namespace neurontune
