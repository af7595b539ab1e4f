#include "numerics/leading_eigenvectors.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "thread_count.h"

namespace neurontune {
namespace {

/// A symmetric matrix of these eigenvalues.
at::Tensor matrix_of(const at::Tensor& values, uint64_t seed = 1) {
  const int64_t size = values.size(0);
  const auto random = at::randn({size, size}, at::detail::createCPUGenerator(seed), at::kDouble);
  const at::Tensor basis = std::get<0>(at::linalg_qr(random));
  return (basis * values).mm(basis.t());
}

/// A few large values, and many that fall slowly.
at::Tensor falling(int64_t size) {
  return 1000 / (at::arange(size, at::kDouble) + 1).square() + 0.01;
}

void expect_leading(const at::Tensor& matrix, int64_t count, double tolerance) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  const int64_t size = matrix.size(0);
  const auto found = leading_eigenvectors(matrix, count);
  ASSERT_EQ(found.values.sizes(), (at::IntArrayRef{count}));
  ASSERT_EQ(found.vectors.sizes(), (at::IntArrayRef{size, count}));
  EXPECT_TRUE(found.values.allclose(values.slice(0, size - count), tolerance, 0));
  // A vector's sign is anyone's.
  const auto along = (found.vectors * vectors.slice(1, size - count)).sum(0).abs();
  EXPECT_TRUE(along.allclose(at::ones({count}, at::kDouble), 0, tolerance)) << along;
  EXPECT_TRUE(found.vectors.t().mm(found.vectors).allclose(at::eye(count, at::kDouble), 0, 1e-10));
}

TEST(LeadingEigenvectors, OfASmallMatrixAreExact) {
  for (const int64_t count : {1, 7, 40}) expect_leading(matrix_of(falling(40)), count, 1e-9);
}

TEST(LeadingEigenvectors, OfALargeMatrixAreThoseOfItsWholeDecomposition) {
  expect_leading(matrix_of(falling(600)), 16, 1e-5);
}

TEST(LeadingEigenvectors, OfALargeMatrixThatFallsOffAreExact) {
  auto values = at::full({600}, 1e-6, at::kDouble);
  values.slice(0, 0, 20).copy_(at::arange(1, 21));
  expect_leading(matrix_of(values), 20, 1e-9);
}

TEST(LeadingEigenvectors, OfValuesThatHardlyFallHoldAsMuchOfTheTrace) {
  const auto samples = at::randn({3000, 600}, at::detail::createCPUGenerator(1), at::kDouble);
  const auto matrix = samples.t().mm(samples);
  const double all = at::linalg_eigvalsh(matrix).slice(0, 536).sum().item<double>();
  const auto found = leading_eigenvectors(matrix, 64);
  const double held =
      found.vectors.t().mm(matrix).mm(found.vectors).diagonal().sum().item<double>();
  EXPECT_NEAR(found.values.sum().item<double>(), held, 1e-6 * held);
  EXPECT_LE(held, all * (1 + 1e-12));
  EXPECT_GT(held, 0.95 * all);
}

TEST(LeadingEigenvectors, AreAtMostAll) {
  const auto found = leading_eigenvectors(matrix_of(falling(5)), 9);
  EXPECT_EQ(found.values.size(0), 5);
  EXPECT_EQ(found.vectors.sizes(), (at::IntArrayRef{5, 5}));
  EXPECT_EQ(leading_eigenvectors(at::eye(520, at::kDouble), 600).values.size(0), 520);
}

TEST(LeadingEigenvectors, BitsDoNotDependOnTheNumberOfThreads) {
  const auto matrix = matrix_of(falling(600));
  const auto on = [&](int threads) {
    return with_threads(threads, [&] { return leading_eigenvectors(matrix, 16); });
  };
  const auto one = on(1);
  for (const int threads : {2, 4}) {
    EXPECT_TRUE(on(threads).values.equal(one.values));
    EXPECT_TRUE(on(threads).vectors.equal(one.vectors));
  }
}

}  // namespace
}  // namespace neurontune
