#include "neurontune/data/array_names.h"

#include "error_matchers.h"

namespace neurontune {
namespace {

TEST(ArrayNames, WhatIsLeftOutKeepsItsName) {
  const auto names = ArrayNames::parse("embeddings=feats,labels=y");
  EXPECT_EQ(names.embeddings, "feats");
  EXPECT_EQ(names.labels, "y");
  EXPECT_EQ(names.attributes, "attributes");
  EXPECT_EQ(ArrayNames::parse("").embeddings, "embeddings");
}

TEST(ArrayNames, WhatIsNoListOfNamesIsRefused) {
  EXPECT_ERROR_OF(OptionError, ArrayNames::parse("embedding=x"),
                  "unknown key embedding; the nearest known one is embeddings");
  EXPECT_ERROR_OF(OptionError, ArrayNames::parse("feats"), "arrays is feats, expected KEY=NAME");
  EXPECT_ERROR_OF(OptionError, ArrayNames::parse("labels="), "expected KEY=NAME");
  EXPECT_ERROR_OF(OptionError, ArrayNames::parse("labels=a,labels=b"), "labels is given twice");
  EXPECT_ERROR_OF(OptionError, ArrayNames::parse("labels=a,groups=a"),
                  "labels and groups are both called a");
}

}  // namespace
}  // namespace neurontune
