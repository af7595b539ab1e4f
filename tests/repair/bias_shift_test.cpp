#include "neurontune/repair/bias_shift.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "error_matchers.h"
#include "neurontune/metrics/group_accuracy.h"
#include "on_device.h"
#include "straight_accuracy.h"
#include "thread_count.h"

namespace neurontune {
namespace {

/// One Gaussian a class, in as many dimensions; classes of different sizes and a head whose biases
/// are off.
struct Problem {
  LabelledEmbeddings data;
  Head erm;

  Problem(int64_t classes, uint64_t seed, int64_t samples = 600) {
    auto random = at::detail::createCPUGenerator(seed);
    const auto shares = at::arange(1, classes + 1).to(at::kFloat);
    data.labels = at::multinomial(shares, samples, /*replacement=*/true, random);
    data.embeddings = at::randn({samples, classes}, random);
    data.embeddings.add_(at::one_hot(data.labels, classes), 2);
    erm = {at::eye(classes) * 3, at::randn({classes}, random) * 3};
  }
};

double worst_class_accuracy(const Head& head, const LabelledEmbeddings& data) {
  return accuracy_metrics(predictions(head, data.embeddings), data.labels, head.classes())
      .worst_class_accuracy;
}

/// The best worst-class accuracy of every shift of the biases after the first, on a grid.
double best_on_grid(const Problem& problem, double reach, int steps) {
  const int64_t classes = problem.erm.classes();
  int64_t points = 1;
  for (int64_t i = 1; i < classes; ++i) points *= steps;
  double best = 0;
  for (int64_t point = 0; point < points; ++point) {
    auto head = problem.erm;
    head.bias = head.bias.clone();
    int64_t rest = point;
    for (int64_t label = 1; label < classes; ++label, rest /= steps)
      head.bias[label] += reach * (2 * static_cast<double>(rest % steps) / (steps - 1) - 1);
    best = std::max(best, worst_class_accuracy(head, problem.data));
  }
  return best;
}

TEST(BiasShift, OfTwoClassesIsAsGoodAsTheBestOfAFineGrid) {
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE(seed);
    const Problem problem(2, seed);
    const auto head = shift_biases(problem.data, problem.erm);
    const double found = worst_class_accuracy(head, problem.data);
    EXPECT_GE(found, best_on_grid(problem, 20, 1001) - 0.01);
    EXPECT_GE(found, worst_class_accuracy(problem.erm, problem.data));
  }
}

TEST(BiasShift, OfThreeClassesIsNearlyAsGoodAsTheBestOfAGrid) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const Problem problem(3, seed);
    const auto head = shift_biases(problem.data, problem.erm);
    EXPECT_GE(worst_class_accuracy(head, problem.data), best_on_grid(problem, 15, 41) - 0.02);
  }
}

TEST(BiasShift, LeavesEveryWeight) {
  const Problem problem(3, 1);
  const auto before = problem.erm.bias.clone();
  const auto head = shift_biases(problem.data, problem.erm);
  EXPECT_TRUE(head.weight.equal(problem.erm.weight));
  EXPECT_FALSE(head.bias.equal(before));
  EXPECT_TRUE(problem.erm.bias.equal(before));
}

TEST(BiasShift, LeavesAHeadThatIsRightEverywhere) {
  Problem problem(3, 1);
  problem.data.labels = predictions(problem.erm, problem.data.embeddings);
  EXPECT_TRUE(shift_biases(problem.data, problem.erm).bias.equal(problem.erm.bias));
}

TEST(BiasShift, OfEqualsTheHeadsOwnBiasesStay) {
  Problem problem(2, 1);
  problem.erm.weight.zero_();  // logits are all alike, so that no shift helps
  problem.erm.bias.zero_();
  EXPECT_TRUE(shift_biases(problem.data, problem.erm).bias.equal(problem.erm.bias));
}

TEST(BiasShift, AHeadOfOneClassIsLeft) {
  const LabelledEmbeddings data{at::ones({3, 2}), at::zeros({3}, at::kLong)};
  const Head erm{at::ones({1, 2}), at::ones({1})};
  EXPECT_TRUE(shift_biases(data, erm).bias.equal(erm.bias));
}

TEST(BiasShift, IsComputedInFloatOrInDoubleWhereEmbeddingsAre) {
  Problem problem(2, 1);
  const auto in = [&](at::ScalarType dtype) {
    return shift_biases({problem.data.embeddings.to(dtype), problem.data.labels}, problem.erm);
  };
  EXPECT_EQ(in(at::kDouble).bias.scalar_type(), at::kDouble);
  EXPECT_EQ(in(at::kDouble).weight.scalar_type(), at::kDouble);
  EXPECT_EQ(in(at::kFloat).bias.scalar_type(), at::kFloat);
  EXPECT_EQ(in(at::kHalf).bias.scalar_type(), at::kFloat);
}

TEST(BiasShift, BitsDoNotDependOnTheNumberOfThreads) {
  const Problem problem(3, 1, 12000);
  const auto on = [&](int threads) {
    return with_threads(threads, [&] { return shift_biases(problem.data, problem.erm).bias; });
  };
  EXPECT_TRUE(on(2).equal(on(1)));
}

class BiasShiftOnDevice : public OnDevice {};

TEST_P(BiasShiftOnDevice, IsAsGoodAsTheBestOfAFineGrid) {
  const Problem problem(2, 1);
  const auto head = shift_biases(there(problem.data), there(problem.erm));
  EXPECT_EQ(head.bias.device(), device());
  const auto found =
      straight_accuracy(head, {problem.data.embeddings, problem.data.labels, {}, {}});
  EXPECT_GE(found.worst_class(), best_on_grid(problem, 20, 1001) - 0.01);
}

NEURONTUNE_ON_EVERY_DEVICE(BiasShiftOnDevice);

TEST(BiasShift, RefusesWhatItCannotUse) {
  const auto refused = [](auto change, const char* message) {
    Problem problem(2, 1);
    change(problem);
    EXPECT_ERROR(shift_biases(problem.data, problem.erm), message);
  };
  refused([](Problem& of) { of.erm.bias = at::Tensor(); }, "the head has no bias");
  refused([](Problem& of) { of.data.labels.zero_(); }, "the held-out split");
  refused([](Problem& of) { of.data.labels[3] = 2; }, "the held-out split");
  refused([](Problem& of) { of.data.embeddings[5][1] = NAN; }, "row 5, dimension 1 is nan");
  refused([](Problem& of) { of.data.embeddings = at::ones({600, 3}); }, "the held-out split");
  refused([](Problem& of) { of.erm.later_layers = std::make_shared<LaterLayers>(); },
          "shifting biases");
}

}  // namespace
}  // namespace neurontune
