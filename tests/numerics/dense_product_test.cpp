#include "numerics/dense_product.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace neurontune {
namespace {

at::Tensor numbers(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed));
}

/// L Rᵀ, number by number, in float64.
at::Tensor slow_product(const at::Tensor& left, const at::Tensor& right) {
  const auto l = left.to(at::kDouble).contiguous(), r = right.to(at::kDouble).contiguous();
  auto product = at::zeros({l.size(0), r.size(0)}, at::kDouble);
  const auto a = l.accessor<double, 2>(), b = r.accessor<double, 2>();
  auto out = product.accessor<double, 2>();
  for (int64_t i = 0; i < l.size(0); ++i)
    for (int64_t j = 0; j < r.size(0); ++j)
      for (int64_t k = 0; k < l.size(1); ++k) out[i][j] += a[i][k] * b[j][k];
  return product;
}

/// One matrix [rows, columns] as it may lie in memory.
std::vector<std::pair<std::string, at::Tensor>> layouts(int64_t rows, int64_t columns,
                                                        uint64_t seed) {
  const auto around = numbers({rows + 3, columns + 5}, seed);
  const auto part = around.slice(0, 1, rows + 1).slice(1, 2, columns + 2);
  return {{"rows", part.contiguous()},
          {"columns", part.t().contiguous().t()},
          {"part of rows", part},
          {"part of columns",
           numbers({columns + 5, rows + 3}, seed).slice(0, 0, columns).slice(1, 0, rows).t()}};
}

TEST(ProductWithTranspose, IsTheProductHoweverTheMatricesLie) {
  for (const auto& [left_lies, left] : layouts(33, 70, 1))
    for (const auto& [right_lies, right] : layouts(21, 70, 2))
      EXPECT_TRUE(product_with_transpose(left, right)
                      .to(at::kDouble)
                      .allclose(slow_product(left, right), 1e-5, 1e-5))
          << left_lies << " by " << right_lies;
}

TEST(ProductWithTranspose, Float64AndHalfStayWhatTheyAre) {
  const auto left = numbers({5, 8}, 1), right = numbers({3, 8}, 2);
  const auto product = product_with_transpose(left.to(at::kDouble), right.to(at::kDouble));
  EXPECT_EQ(product.scalar_type(), at::kDouble);
  EXPECT_TRUE(product.allclose(slow_product(left, right), 1e-12, 1e-12));
  const auto half = product_with_transpose(left.to(at::kHalf), right.to(at::kHalf));
  EXPECT_EQ(half.scalar_type(), at::kHalf);
  EXPECT_TRUE(half.to(at::kDouble).allclose(slow_product(left, right), 1e-2, 1e-2));
}

TEST(ProductWithTranspose, OfNothingIsZerosOfItsShape) {
  const auto of = [](int64_t rows, int64_t inner, int64_t columns) {
    return product_with_transpose(at::ones({rows, inner}), at::ones({columns, inner}));
  };
  EXPECT_TRUE(of(2, 0, 3).equal(at::zeros({2, 3})));
  EXPECT_EQ(of(0, 4, 3).sizes(), at::IntArrayRef({0, 3}));
  EXPECT_EQ(of(2, 4, 0).sizes(), at::IntArrayRef({2, 0}));
}

}  // namespace
}  // namespace neurontune
