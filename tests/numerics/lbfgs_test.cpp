#include "numerics/lbfgs.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>

namespace neurontune {
namespace {

at::Tensor unchanged(const at::Tensor& vector) { return vector.clone(); }

/// ½ Σ h (x − 1)², with h from 1 to ten thousand, and how often it was asked for.
struct Quadratic {
  at::Tensor curvature = at::logspace(0, 4, 50, 10, at::kDouble);
  int64_t calls = 0;

  double operator()(const at::Tensor& x, at::Tensor& gradient) {
    ++calls;
    gradient.copy_(curvature * (x - 1));
    return (curvature * (x - 1).square()).sum().item<double>() / 2;
  }
  at::Tensor minimised(const Preconditioner& precondition, const LbfgsOptions& options) {
    calls = 0;
    return Lbfgs(precondition, options)
        .minimise(at::zeros({50}, at::kDouble), std::ref(*this))
        .parameters;
  }
};

TEST(Lbfgs, MinimisesAQuadraticOfBadCondition) {
  Quadratic quadratic;
  const auto found = quadratic.minimised(unchanged, {5000, 1e-8});
  EXPECT_TRUE(found.allclose(at::ones({50}, at::kDouble), 0, 1e-7));
}

TEST(Lbfgs, TheInverseOfTheHessianNeedsOneStep) {
  Quadratic quadratic;
  const auto newton = [&](const at::Tensor& vector) { return vector / quadratic.curvature; };
  const auto found = quadratic.minimised(newton, {100, 1e-8});
  EXPECT_TRUE(found.allclose(at::ones({50}, at::kDouble)));
  EXPECT_EQ(quadratic.calls, 2) << "the start and the step";
  quadratic.minimised(unchanged, {100, 1e-8});
  EXPECT_GT(quadratic.calls, 50);
}

TEST(Lbfgs, MinimisesALogisticLoss) {
  // Half the samples at (1, 1) are of one label, one in ten at (−1, 1): log odds 0 and −log 9.
  const auto inputs = at::tensor({1.0, 1.0, -1.0, 1.0}).to(at::kDouble).view({2, 2});
  const auto share = at::tensor({0.5, 0.1}).to(at::kDouble);
  const Objective loss = [&](const at::Tensor& x, at::Tensor& gradient) {
    const at::Tensor logits = inputs.mv(x);
    gradient.copy_(inputs.t().mv(logits.sigmoid() - share));
    return (at::softplus(logits) - share * logits).sum().item<double>();
  };
  const auto start = at::tensor({5.0, -7.0}).to(at::kDouble);
  const auto log_odds = inputs.mv(Lbfgs(unchanged, {200, 1e-10}).minimise(start, loss).parameters);
  EXPECT_NEAR(log_odds[0].item<double>(), 0, 1e-6);
  EXPECT_NEAR(log_odds[1].item<double>(), -std::log(9.0), 1e-6);
}

TEST(Lbfgs, WhatIsLearntOfTheCurvatureStays) {
  Quadratic quadratic;
  quadratic.curvature = at::logspace(0, 1, 50, 10, at::kDouble);
  Lbfgs lbfgs(unchanged, {100, 1e-8});
  const auto start = at::zeros({50}, at::kDouble);
  lbfgs.minimise(start, std::ref(quadratic));
  const auto first = std::exchange(quadratic.calls, 0);
  const auto found =
      lbfgs.minimise(at::full({50}, 0.9, at::kDouble), std::ref(quadratic)).parameters;
  EXPECT_LT(quadratic.calls, first);
  EXPECT_TRUE(found.allclose(at::ones({50}, at::kDouble), 0, 1e-7));
}

TEST(Lbfgs, StopsWhereItIsTold) {
  Quadratic quadratic;
  const auto largest = [&](const at::Tensor& x) {
    return (quadratic.curvature * (x - 1)).abs().max().item<double>();
  };
  EXPECT_TRUE(quadratic.minimised(unchanged, {100, 1e7}).equal(at::zeros({50}, at::kDouble)))
      << "the gradient is small enough at the start";
  EXPECT_EQ(quadratic.calls, 1);
  const auto rough = quadratic.minimised(unchanged, {5000, 1});
  const auto calls = quadratic.calls;
  EXPECT_LE(largest(rough), 1);
  EXPECT_LE(largest(quadratic.minimised(unchanged, {5000, 1e-6})), 1e-6);
  EXPECT_GT(quadratic.calls, calls);
  EXPECT_GT(largest(quadratic.minimised(unchanged, {3, 1e-6})), 1) << "three iterations are few";
}

TEST(Lbfgs, StopsWhereNoStepLowersTheValueAndSaysSo) {
  // A gradient that lies: whatever the step, the value goes up.
  int64_t calls = 0;
  const auto uphill = [&](const at::Tensor& x, at::Tensor& gradient) {
    ++calls;
    gradient.fill_(-1);
    return x.sum().item<double>();
  };
  const auto start = at::zeros({3}, at::kDouble);
  const auto ended = Lbfgs(unchanged, {100, 1e-6}).minimise(start, uphill);
  EXPECT_TRUE(ended.parameters.equal(start));
  EXPECT_TRUE(ended.is_exhausted);
  EXPECT_EQ(ended.largest_slope, 1);
  EXPECT_LT(calls, 100);
}

TEST(Lbfgs, SaysHowSteepItIsWhereItEnds) {
  Quadratic quadratic;
  const auto ended = [&](const LbfgsOptions& options) {
    return Lbfgs(unchanged, options).minimise(at::zeros({50}, at::kDouble), std::ref(quadratic));
  };
  EXPECT_FALSE(ended({5000, 1e-6}).is_exhausted);
  EXPECT_LE(ended({5000, 1e-6}).largest_slope, 1e-6);
  EXPECT_FALSE(ended({3, 1e-6}).is_exhausted) << "the iterations are spent, which is another thing";
  EXPECT_GT(ended({3, 1e-6}).largest_slope, 1e-6);
}

TEST(Lbfgs, TheStartIsNotChanged) {
  Quadratic quadratic;
  const auto start = at::zeros({50}, at::kDouble);
  Lbfgs(unchanged, {100, 1e-8}).minimise(start, std::ref(quadratic));
  EXPECT_TRUE(start.equal(at::zeros({50}, at::kDouble)));
}

}  // namespace
}  // namespace neurontune
