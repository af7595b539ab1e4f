#include "neurontune/method/class_balanced_sampler.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

at::Generator generator(uint64_t seed = 0) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

/// Samples of each class in each batch: int64 [batches, C].
at::Tensor class_counts(const at::Tensor& labels, const at::Tensor& batches, int64_t classes) {
  std::vector<at::Tensor> counts;
  for (int64_t i = 0; i < batches.size(0); ++i)
    counts.push_back(at::bincount(labels.index_select(0, batches[i]), {}, classes));
  return at::stack(counts);
}

TEST(ClassBalancedSampler, EveryClassHasFloorOrCeilingOfTheBatchAndExtrasGoRound) {
  const auto labels = longs({0, 0, 0, 0, 0, 0, 0, 1, 2, 2});
  ClassBalancedSampler sampler(labels, 3, 8, generator());
  EXPECT_TRUE(class_counts(labels, sampler.draw(3), 3)
                  .equal(long_matrix({{3, 3, 2}, {3, 2, 3}, {2, 3, 3}})));
}

TEST(ClassBalancedSampler, WithMoreClassesThanPlacesTheClassesGoRound) {
  const auto labels = at::arange(5);
  ClassBalancedSampler sampler(labels, 5, 2, generator());
  EXPECT_TRUE(sampler.draw(2).equal(long_matrix({{0, 1}, {2, 3}})));
  // The next draw goes on where the last one stopped, from class 4.
  EXPECT_TRUE(sampler.draw(1).equal(long_matrix({{0, 4}})));
}

TEST(ClassBalancedSampler, SamplesOfAClassAreDrawnEvenly) {
  const auto labels = longs({0, 0, 0, 0, 1});
  ClassBalancedSampler sampler(labels, 2, 80, generator(3));
  const auto counts = at::bincount(sampler.draw(1000).flatten(), {}, 5);
  for (int64_t row = 0; row < 4; ++row)
    EXPECT_NEAR(counts[row].item<double>(), 10000, 400) << "row " << row;  // 4.6 σ
}

TEST(ClassBalancedSampler, TheSameSeedDrawsTheSameBatches) {
  const auto labels = at::arange(100).remainder(3);
  ClassBalancedSampler a(labels, 3, 16, generator(1)), b(labels, 3, 16, generator(1)),
      c(labels, 3, 16, generator(2));
  const auto batches = a.draw(10);
  EXPECT_TRUE(batches.equal(b.draw(10)));
  EXPECT_FALSE(batches.equal(c.draw(10)));
}

TEST(ClassBalancedSampler, AnAbsentClassIsNamed) {
  EXPECT_ERROR(ClassBalancedSampler(longs({0, 2}), 3, 4, generator()),
               "the tuning split has no sample of class 1");
}

}  // namespace
}  // namespace neurontune
