#include "base/checks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "error_matchers.h"

namespace neurontune {
namespace {

TEST(CheckFinite, FindsTheOneThatIsNot) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16})
    for (const double value : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()})
      for (const auto& [row, column] : {std::pair{0, 0}, std::pair{4096, 36}, std::pair{9000, 5}}) {
        auto embeddings = at::zeros({9001, 37}, dtype);
        embeddings[row][column] = value;
        const auto message = "the split: the embedding in row " + std::to_string(row) +
                             ", dimension " + std::to_string(column) + " is ";
        EXPECT_ERROR(check_finite(embeddings, "the split"), message);
        EXPECT_ERROR(check_finite(embeddings.t().contiguous().t(), "the split"), message);
      }
}

TEST(CheckFinite, TheLargestAndTheSmallestNumbersAreFinite) {
  const auto extremes = [](auto limits) {
    return std::vector<double>{limits.max(), limits.lowest(), limits.denorm_min(), -0.0};
  };
  const auto row = [](const std::vector<double>& values, at::ScalarType dtype) {
    return at::tensor(values, at::kDouble).to(dtype).unsqueeze(0);
  };
  EXPECT_NO_THROW(check_finite(row(extremes(std::numeric_limits<double>()), at::kDouble), ""));
  EXPECT_NO_THROW(check_finite(row(extremes(std::numeric_limits<float>()), at::kFloat), ""));
  EXPECT_NO_THROW(check_finite(row({65504, -65504, 6e-8}, at::kHalf), ""));
  EXPECT_NO_THROW(check_finite(row({3.38e38, -3.38e38, 1e-40}, at::kBFloat16), ""));
}

}  // namespace
}  // namespace neurontune
