#include "core/stratified_folds.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "tensors.h"

namespace neurontune {
namespace {

TEST(StratifiedFolds, ShareEachClassOutEvenly) {
  const auto labels = at::multinomial(at::tensor({0.7, 0.2, 0.1}), 101, /*replacement=*/true,
                                      at::detail::createCPUGenerator(1));
  for (const int64_t folds : {2, 3, 7}) {
    const auto fold_of = stratified_folds(labels, 3, folds, 1);
    ASSERT_EQ(fold_of.scalar_type(), at::kLong);
    for (int64_t label = 0; label < 3; ++label) {
      const auto counts = at::bincount(fold_of.masked_select(labels.eq(label)), {}, folds);
      EXPECT_EQ(counts.size(0), folds);
      EXPECT_LE((counts.max() - counts.min()).item<int64_t>(), 1);
    }
  }
}

TEST(StratifiedFolds, AreOfTheSeed) {
  const auto labels = at::arange(100).remainder(2);
  EXPECT_TRUE(stratified_folds(labels, 2, 2, 1).equal(stratified_folds(labels, 2, 2, 1)));
  EXPECT_FALSE(stratified_folds(labels, 2, 2, 1).equal(stratified_folds(labels, 2, 2, 2)));
}

TEST(StratifiedFolds, TakeClassesThatAreAbsentOrRare) {
  const auto fold_of = stratified_folds(longs({2, 0, 2, 2}), 4, 3, 0);
  EXPECT_EQ(fold_of[1].item<int64_t>(), 0) << "the only one of its class";
  const auto of_class = std::get<0>(fold_of.index_select(0, longs({0, 2, 3})).sort());
  EXPECT_TRUE(of_class.equal(longs({0, 1, 2})));
}

TEST(Those, AreTheSamplesThatAMaskNames) {
  const LabelledEmbeddings data{matrix({{1, 2}, {3, 4}, {5, 6}}), longs({0, 1, 2})};
  const auto found = those(data, at::tensor({1, 0, 1}).to(at::kBool));
  EXPECT_TRUE(found.embeddings.equal(matrix({{1, 2}, {5, 6}})));
  EXPECT_TRUE(found.labels.equal(longs({0, 2})));
}

TEST(FewestOfAClass, CountsAbsentOnes) {
  EXPECT_EQ(fewest_of_a_class(longs({0, 0, 1, 1, 1}), 2), 2);
  EXPECT_EQ(fewest_of_a_class(longs({0, 0, 1, 1, 1}), 3), 0);
}

}  // namespace
}  // namespace neurontune
