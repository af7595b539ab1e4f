#include "data/attribute_notices.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "tensors.h"

namespace neurontune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AttributeNotices, NothingIsSaidWhereAllOrNoneAreKnown) {
  EXPECT_THAT(attribute_notices({{"train", longs({0, 1})}, {"val", longs({1})}}), IsEmpty());
  EXPECT_THAT(attribute_notices({{"train", {}}, {"val", longs({-1})}}), IsEmpty());
}

TEST(AttributeNotices, GapsAreCountedAndSplitsWithoutAnyNamed) {
  EXPECT_THAT(attribute_notices({{"train", {}}, {"val", longs({0, -1, -1})}, {"test", {}}}),
              ElementsAre("train has no attributes, unlike val: there are no group figures of it, "
                          "and no adjusted mean accuracy, which weighs groups as train does",
                          "val: the attribute of 2 of 3 samples is not known; group figures are of "
                          "the others",
                          "test has no attributes, unlike val: there are no group figures of it"));
}

TEST(AttributeNotices, ASlipOrTwoAreTakenForAMisspeltName) {
  const std::vector<std::string> expected = {"a", "place", "attribute"};
  EXPECT_THAT(misspelt("a column", {"pllace", "b", "PLACE", "attribte", "A", "photo"}, expected),
              ElementsAre("has a column pllace, did you mean place?",
                          "has a column PLACE, did you mean place?",
                          "has a column attribte, did you mean attribute?",
                          "has a column A, did you mean a?"));
  EXPECT_THAT(misspelt("a column", {"x"}, {}), IsEmpty());
}

}  // namespace
}  // namespace neurontune
