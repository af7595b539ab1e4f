#include "data/groups.h"

#include <ATen/ATen.h>

#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

TEST(Groups, OneNumberOfAttributesHoldsForAllSplits) {
  // By the first alone A would be 2; the second has label 0 with attribute 2.
  const auto attributes =
      attributes_of_groups("data", {{"train.npz", longs({0, 1, 1}), longs({1, 3, 4})},
                                    {"val.npz", longs({0, 1}), longs({2, 5})}});
  ASSERT_EQ(attributes.size(), 2U);
  EXPECT_TRUE(at::equal(attributes[0], longs({1, 0, 1})));
  EXPECT_TRUE(at::equal(attributes[1], longs({2, 2})));
}

TEST(Groups, TheSmallestNumberThatHoldsIsTaken) {
  const auto attributes =
      attributes_of_groups("data", {{"train.npz", longs({0, 1, 2}), longs({0, 2, 5})}});
  EXPECT_TRUE(at::equal(attributes[0], longs({0, 0, 1})));
}

TEST(Groups, ThoseThatContradictEachOtherAreNamed) {
  EXPECT_ERROR(attributes_of_groups("data", {{"train.npz", longs({0, 0}), longs({0, 3})},
                                             {"val.npz", longs({0, 1}), longs({1, 2})}}),
               "data: val.npz row 1 (label 1, group 2) contradicts train.npz row 1 (label 0, "
               "group 3): group should be label * A + attribute, and the latter needs A of at "
               "least 4");
}

TEST(Groups, GroupsThatAreNotKnownGiveNoAttribute) {
  const auto attributes =
      attributes_of_groups("data", {{"train.npz", longs({0, 1, 5, 1}), longs({1, 3, -1, -1})}});
  EXPECT_TRUE(at::equal(attributes[0], longs({1, 1, -1, -1})));
}

TEST(Groups, NoSplitsHaveNoAttributes) { EXPECT_TRUE(attributes_of_groups("data", {}).empty()); }

}  // namespace
}  // namespace neurontune
