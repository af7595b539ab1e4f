#include "neurontune/numerics/curvature.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "thread_count.h"

namespace neurontune {
namespace {

constexpr double kSlope = 0.1;  // κ

at::Tensor embeddings(int64_t samples, int64_t dimensions) {
  auto random = at::detail::createCPUGenerator(1);
  const auto mixing = at::randn({dimensions, dimensions}, random, at::kDouble);
  return at::randn({samples, dimensions}, random, at::kDouble).mm(mixing) + 5;
}

at::Tensor vectors(int64_t dimensions) {
  return at::randn({3, dimensions}, at::detail::createCPUGenerator(2), at::kDouble);
}

/// κ XᵀX / n of columns of mean 0 and deviation 1.
at::Tensor dense(const at::Tensor& of) {
  const at::Tensor x = (of - of.mean(0)) / of.std(0, /*unbiased=*/false);
  return x.t().mm(x) * (kSlope / static_cast<double>(x.size(0)));
}

at::Tensor solved(const at::Tensor& matrix, double penalty, const at::Tensor& right) {
  return at::linalg_solve(matrix + penalty * at::eye(matrix.size(0), at::kDouble), right.t()).t();
}

TEST(Curvature, OfFewDimensionsIsTheDenseInverse) {
  for (const int64_t dimensions : {1, 20, 128}) {
    const auto of = embeddings(300, dimensions), right = vectors(dimensions);
    const Curvature curvature(of);
    for (const double penalty : {10.0, 1e-2})
      EXPECT_TRUE(
          curvature.solve(right, penalty).allclose(solved(dense(of), penalty, right), 1e-8, 1e-10));
  }
}

TEST(Curvature, OfFewSamplesIsTheDenseInverseWhateverTheDimensions) {
  const auto of = embeddings(100, 200), right = vectors(200);
  EXPECT_TRUE(Curvature(of).solve(right, 0.1).allclose(solved(dense(of), 0.1, right), 1e-8, 1e-10));
}

TEST(Curvature, OfManyDimensionsTakesTheRestForEven) {
  const auto of = embeddings(1000, 200), right = vectors(200);
  const auto [values, basis] = at::linalg_eigh(dense(of));
  auto even = values.clone();
  even.slice(0, 0, 72).fill_(values.slice(0, 0, 72).mean());
  const auto expected = (right.mm(basis) / (even + 0.1)).mm(basis.t());
  EXPECT_TRUE(Curvature(of).solve(right, 0.1).allclose(expected, 1e-8, 1e-10));
}

TEST(Curvature, OfManySamplesIsThatOfEvenlySpacedOnes) {
  const auto of = embeddings(10000, 5), right = vectors(5);
  EXPECT_TRUE(Curvature(of).solve(right, 1).equal(
      Curvature(of.slice(0, 0, 10000, 3).contiguous()).solve(right, 1)));
}

TEST(Curvature, AConstantDimensionIsPenalisedAlone) {
  auto of = embeddings(50, 4);
  of.select(1, 2).fill_(7);
  const auto right = at::eye(4, at::kDouble).slice(0, 2, 3);
  EXPECT_TRUE(Curvature(of).solve(right, 0.5).allclose(right * 2, 0, 1e-10));
}

TEST(Curvature, BitsDoNotDependOnTheNumberOfThreads) {
  const auto of = embeddings(4000, 150).to(at::kFloat), right = vectors(150);
  const auto on = [&](int threads) {
    return with_threads(threads, [&] { return Curvature(of).solve(right, 0.1); });
  };
  const auto one = on(1);
  EXPECT_TRUE(on(2).equal(one));
  EXPECT_TRUE(on(4).equal(one));
}

}  // namespace
}  // namespace neurontune
