#include "compare/text_rows.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(TextRows, CellsOfATableLieBetweenBars) { EXPECT_EQ(markdown_row({"a", "b"}), "| a | b |\n"); }

}  // namespace
}  // namespace neurontune
