#include "numerics/column_scaling.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "numerics/cross_product.h"
#include "thread_count.h"

namespace neurontune {
namespace {

at::Tensor embeddings(int64_t samples = 5000, int64_t dimensions = 200) {
  auto random = at::detail::createCPUGenerator(1);
  return at::randn({samples, dimensions}, random) * at::linspace(0.01, 50, dimensions) + 3;
}

TEST(ColumnScaling, ScalesToMeanZeroAndDeviationOne) {
  const auto z = embeddings().to(at::kDouble);
  const auto columns = scaled(z, column_scaling(z));
  EXPECT_LT(columns.mean(0).abs().max().item<double>(), 1e-9);
  EXPECT_TRUE(columns.std(0, /*unbiased=*/false).allclose(at::ones({200}, at::kDouble)));
}

TEST(ColumnScaling, AConstantColumnIsDividedByOne) {
  auto z = embeddings();
  z.select(1, 7).fill_(0.1);  // no binary fraction: its mean is off by rounding
  const auto scaling = column_scaling(z);
  EXPECT_EQ(scaling.deviation[7].item<double>(), 1);
  EXPECT_NE(scaling.deviation[0].item<double>(), 1) << "a deviation of a hundredth is one";
  EXPECT_LT(scaled(z, scaling).select(1, 7).abs().max().item<double>(), 1e-6);
}

TEST(ColumnScaling, ADeviationBeyondTheScaleOfTheDtypeCountsAsNone) {
  const auto of = [](at::ScalarType dtype, double size) {
    auto z = embeddings(1000, 3).to(at::kDouble);
    z.select(1, 1).sub_(3).mul_(size / 25);
    return column_scaling(z.to(dtype));
  };
  for (const auto& [dtype, size] :
       std::vector<std::pair<at::ScalarType, double>>{{at::kFloat, 1e-40},
                                                      {at::kFloat, 2e-38},
                                                      {at::kBFloat16, 1e-40},
                                                      {at::kHalf, 1e-6},
                                                      {at::kDouble, 1e-310},
                                                      {at::kDouble, 1e-160}}) {
    const auto scaling = of(dtype, size);
    EXPECT_EQ(scaling.deviation[1].item<double>(), 1) << size;
    EXPECT_TRUE(scaling.constant.equal(at::tensor({0, 1, 0}).to(at::kBool))) << size;
  }
  for (const auto& [dtype, size] :
       std::vector<std::pair<at::ScalarType, double>>{{at::kFloat, 1e-29},
                                                      {at::kFloat, 1e30},
                                                      {at::kBFloat16, 1e-29},
                                                      {at::kHalf, 1e-3},
                                                      {at::kDouble, 1e-150},
                                                      {at::kDouble, 1e150}}) {
    const auto scaling = of(dtype, size);
    EXPECT_NEAR(scaling.deviation[1].item<double>() / size, 1, 0.1) << size;
    EXPECT_FALSE(scaling.constant.any().item<bool>()) << size;
  }
}

TEST(ColumnScaling, HalfTypesAreScaledInFloat32AndFloat64Stays) {
  const auto z = embeddings(100, 4);
  const auto dtype = [](const at::Tensor& stored) {
    return scaled(stored, column_scaling(stored)).scalar_type();
  };
  EXPECT_EQ(dtype(z.to(at::kHalf)), at::kFloat);
  EXPECT_EQ(dtype(z), at::kFloat);
  EXPECT_EQ(dtype(z.to(at::kDouble)), at::kDouble);
}

TEST(ColumnScaling, BitsDoNotDependOnTheNumberOfThreads) {
  const auto z = embeddings();
  const auto figures = [&](int threads) {
    return with_threads(threads, [&] {
      const auto scaling = column_scaling(z);
      return at::stack({scaling.mean, scaling.deviation});
    });
  };
  EXPECT_TRUE(figures(1).equal(figures(2)));
}

TEST(CrossProduct, IsTheProductWhateverTheShapes) {
  const auto a = embeddings(3001, 5).to(at::kDouble), b = embeddings(3001, 131).to(at::kDouble);
  EXPECT_TRUE(cross_product(a, b).allclose(a.t().mm(b)));
  EXPECT_TRUE(cross_product(b, a).allclose(b.t().mm(a)));
}

TEST(CrossProduct, GramIsTheProductWithItself) {
  for (const int64_t columns : {1, 2, 63, 64, 65, 131, 300}) {
    const auto z = embeddings(1500, columns);
    const auto product = gram(z);
    EXPECT_TRUE(product.equal(product.t()));
    const auto doubles = z.to(at::kDouble);
    EXPECT_TRUE(gram(doubles).allclose(doubles.t().mm(doubles)));
    EXPECT_TRUE(product.equal(with_threads(2, [&] { return gram(z); })));
    EXPECT_TRUE(product.equal(with_threads(1, [&] { return gram(z); })));
  }
}

TEST(CrossProduct, SumsFloat32InFloat64) {
  // A float32 sum of ones stands still at 2²⁴.
  const auto ones = at::ones({(1 << 24) + 4096, 1});
  EXPECT_EQ(cross_product(ones, ones).item<double>(), (1 << 24) + 4096);
}

TEST(CrossProduct, BitsDoNotDependOnTheNumberOfThreads) {
  const auto z = embeddings();
  const auto product = [&](int threads) {
    return with_threads(threads, [&] { return cross_product(z, z); });
  };
  EXPECT_TRUE(product(1).equal(product(2)));
}

}  // namespace
}  // namespace neurontune
