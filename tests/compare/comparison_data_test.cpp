#include "compare/comparison_data.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ComparisonDataTest : public TemporaryFolderTest {
 protected:
  ComparisonDataTest() {
    write_head(folder() / "head.safetensors", {at::ones({2, 1}, at::kDouble), {}});
    write_embedding_split(folder(), "val", matrix({{0}, {1}, {2}, {3}}), longs({0, 0, 1, 1}),
                          longs({1, -1, 0, -1}));
    write_embedding_split(folder(), "train", matrix({{4}, {5}}), longs({0, 1}), longs({0, 1}));
    write_embedding_split(folder(), "test", matrix({{6}, {7}}), longs({0, 1}));
    opened = EmbeddingFolder::open(folder());
  }
  ComparisonData data() const { return {opened, at::kCPU}; }

  EmbeddingFolder opened;
  std::vector<std::string> warnings;
};

TEST_F(ComparisonDataTest, TheHeadIsInFloat32) {
  EXPECT_TRUE(data().erm().weight.equal(at::ones({2, 1})));
}

TEST_F(ComparisonDataTest, GivesASplitOrAPartOfIt) {
  auto given = data();
  EXPECT_TRUE(given.labelled("val").embeddings.equal(matrix({{0}, {1}, {2}, {3}})));
  EXPECT_TRUE(given.labelled("val:2/2").embeddings.equal(matrix({{1}, {3}})));
  EXPECT_TRUE(given.labelled("val:2/2").labels.equal(longs({0, 1})));
  EXPECT_TRUE(given.attributes("val:1/2").equal(longs({1, 0})));
  EXPECT_FALSE(given.attributes("test").defined());
  EXPECT_ERROR(given.labelled("other"), "no split `other`");
}

TEST_F(ComparisonDataTest, TakesEachPartToTheDeviceOnce) {
  auto given = data();
  const auto* const first = &given.labelled("val:1/2");
  EXPECT_EQ(&given.labelled("val:1/2"), first);
}

TEST_F(ComparisonDataTest, GroupsAreOfTheSamplesWhoseAttributeIsKnown) {
  const auto grouped = data().grouped("val", warnings);
  EXPECT_TRUE(grouped.data.embeddings.equal(matrix({{0}, {2}})));
  EXPECT_TRUE(grouped.data.labels.equal(longs({0, 1})));
  EXPECT_TRUE(grouped.attributes.equal(longs({1, 0})));
  EXPECT_THAT(warnings,
              ElementsAre("val: 2 of 4 samples have a known attribute; only these are used"));
}

TEST_F(ComparisonDataTest, WhereAllAttributesAreKnownThereIsNothingToSay) {
  EXPECT_EQ(data().grouped("train", warnings).attributes.size(0), 2);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(ComparisonDataTest, WithoutAttributesThereAreNoGroups) {
  EXPECT_ERROR(data().grouped("test", warnings),
               "the split test has no attributes, which this method needs");
}

TEST(Seeds, AreOneToTenThousand) {
  EXPECT_NO_THROW(check_seeds(1));
  EXPECT_NO_THROW(check_seeds(10000));
  EXPECT_ERROR_OF(OptionError, check_seeds(0), "seeds is 0, expected 1 to 10000");
  EXPECT_ERROR_OF(OptionError, check_seeds(10001), "seeds is 10001");
}

}  // namespace
}  // namespace neurontune
