#include "numerics/linear_epoch.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <thread>

#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

struct Case {
  at::ScalarType dtype = at::kDouble;
  int64_t classes = 3, columns = 700, mask_rows = 0;
  bool bias = true;
  int64_t batches = 6;
};

struct Trained {
  at::Tensor weight, bias, losses;
};

/// Half of the columns of each mask row at 1, the others at 0.25 and at 0.
at::Tensor mask_of(int64_t rows, int64_t columns, at::Generator random) {
  const auto kinds = at::randint(0, 4, {rows, columns}, random, at::kLong);
  return at::tensor({1., 1., 0.25, 0.}, at::kDouble)
      .index_select(0, kinds.flatten())
      .view_as(kinds);
}

struct Problem {
  at::Tensor inputs, labels, weight, bias, mask, batches;
  SgdRates rates{0.05, 0.9, 0.1};

  explicit Problem(const Case& of) {
    auto random = at::detail::createCPUGenerator(1);
    inputs = at::randn({50, of.columns}, random).to(of.dtype);
    labels = at::randint(0, of.classes, {50}, random, at::kLong);
    weight = at::randn({of.classes, of.columns}, random, at::kDouble) / 20;
    if (of.bias) bias = at::randn({of.classes}, random, at::kDouble);
    if (of.mask_rows > 0) mask = mask_of(of.mask_rows, of.columns, random);
    batches = at::randint(0, 50, {of.batches, 13}, random, at::kLong);
  }
};

Trained trained(const Problem& problem) {
  const auto dtype = problem.inputs.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  LinearTraining head;
  head.inputs = problem.inputs;
  head.labels = problem.labels;
  if (problem.mask.defined()) head.mask = problem.mask.to(dtype);
  head.weight = problem.weight.to(dtype, /*non_blocking=*/false, /*copy=*/true);
  head.weight_velocity = at::zeros_like(head.weight);
  if (problem.bias.defined()) {
    head.bias = problem.bias.to(dtype, /*non_blocking=*/false, /*copy=*/true);
    head.bias_velocity = at::zeros_like(head.bias);
  }
  const auto losses = at::empty(problem.batches.sizes(), dtype);
  run_linear_epoch(head, problem.batches, problem.rates, losses);
  return {head.weight, head.bias, losses};
}

/// The same with matrices in double precision, a batch at a time.
Trained straight(const Problem& problem) {
  auto weight = problem.weight.clone();
  auto bias = problem.bias.defined() ? problem.bias.clone() : at::Tensor();
  auto velocity = at::zeros_like(weight);
  auto bias_velocity = bias.defined() ? at::zeros_like(bias) : at::Tensor();
  const auto mask = problem.mask.defined() ? problem.mask.expand_as(weight) : at::ones_like(weight);
  const auto descend = [&](at::Tensor& parameter, at::Tensor& moving, const at::Tensor& gradient) {
    moving.mul_(problem.rates.momentum).add_(gradient);
    parameter.sub_(moving, problem.rates.learning_rate);
  };
  std::vector<at::Tensor> losses;
  for (const auto& rows : problem.batches.unbind()) {
    const auto z = problem.inputs.index_select(0, rows).to(at::kDouble);
    const auto one_hot = at::one_hot(problem.labels.index_select(0, rows), weight.size(0));
    const auto log_softmax = at::linear(z, weight * mask, bias).log_softmax(1);
    losses.push_back((log_softmax * one_hot).sum(1).neg());
    const auto residuals = (log_softmax.exp() - one_hot) / rows.size(0);
    const double decay = problem.rates.weight_decay;
    descend(weight, velocity, residuals.t().mm(z) * mask + weight * mask.ne(0) * decay);
    if (bias.defined()) descend(bias, bias_velocity, residuals.sum(0) + bias * decay);
  }
  return {weight, bias, at::stack(losses)};
}

void expect_straight(const Case& of) {
  SCOPED_TRACE(testing::Message() << c10::toString(of.dtype) << ", " << of.classes << " classes, "
                                  << of.columns << " columns, " << of.mask_rows << " mask rows");
  const Problem problem(of);
  const auto ours = trained(problem), theirs = straight(problem);
  const double tolerance = of.dtype == at::kDouble ? 1e-12 : 1e-5;
  const auto close = [&](const at::Tensor& a, const at::Tensor& b) {
    return a.to(at::kDouble).allclose(b, tolerance, tolerance);
  };
  EXPECT_TRUE(close(ours.weight, theirs.weight));
  EXPECT_TRUE(close(ours.losses, theirs.losses));
  EXPECT_EQ(ours.bias.defined(), of.bias);
  if (of.bias) {
    EXPECT_TRUE(close(ours.bias, theirs.bias));
  }
}

TEST(LinearEpoch, IsTheStraightOne) {
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16})
    for (const int64_t classes : {1, 2, 3, 16})
      // Less than a register, less than a block, and several blocks of which the last is short.
      for (const int64_t columns : {1, 37, 256, 700})
        for (const int64_t mask_rows : {int64_t{0}, int64_t{1}, classes})
          expect_straight({dtype, classes, columns, mask_rows, /*bias=*/columns % 2 == 0});
}

TEST(LinearEpoch, WithoutColumnsTrainsTheBias) { expect_straight({at::kFloat, 3, 0}); }

TEST(LinearEpoch, RowsMayLieApart) {
  Problem problem({at::kFloat, 2, 300});
  const auto together = trained(problem);
  problem.inputs = at::cat({problem.inputs, problem.inputs}, 1).slice(1, 0, 300);
  EXPECT_TRUE(trained(problem).weight.equal(together.weight));
}

TEST(LinearEpoch, BitsDoNotDependOnTheNumberOfThreads) {
  // Enough columns and classes for threads to be worth it; their number may change after 16
  // batches.
  const Problem problem({at::kFloat, 10, 3000, 10, true, 40});
  const auto one = with_threads(1, [&] { return trained(problem); });
  for (const int threads : {2, 3, 7}) {
    Trained several;  // on a thread of its own, which does not know yet how busy the cores are
    std::thread([&] { several = with_threads(threads, [&] { return trained(problem); }); }).join();
    EXPECT_TRUE(several.weight.equal(one.weight));
    EXPECT_TRUE(several.bias.equal(one.bias));
    EXPECT_TRUE(several.losses.equal(one.losses));
  }
}

}  // namespace
}  // namespace neurontune
