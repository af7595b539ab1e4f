#include "io/csv_row.h"

#include <gtest/gtest.h>

namespace neurontune {
namespace {

TEST(CsvRow, FieldsAreQuotedWhereTheyMust) {
  EXPECT_EQ(csv_row({"a", "b c", ""}), "a,b c,\n");
  EXPECT_EQ(csv_row({"a,b", "say \"so\"", "two\nlines", "back\r", " blank"}),
            "\"a,b\",\"say \"\"so\"\"\",\"two\nlines\",\"back\r\",\" blank\"\n");
}

}  // namespace
}  // namespace neurontune
