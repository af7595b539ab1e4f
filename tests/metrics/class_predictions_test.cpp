#include "neurontune/metrics/class_predictions.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

TEST(ClassPredictions, AreTheLargestLogitsClassAndItsSoftmax) {
  const auto predicted = class_predictions(matrix({{1, 2, 0}, {3, -1, 3}}));
  EXPECT_TRUE(predicted.classes.equal(longs({1, 0}))) << "of equal ones the lowest";
  EXPECT_EQ(predicted.probability.scalar_type(), at::kDouble);
  EXPECT_NEAR(predicted.probability[0].item<double>(),
              std::exp(2) / (std::exp(1) + std::exp(2) + 1), 1e-12);
  EXPECT_NEAR(predicted.probability[1].item<double>(), 1 / (2 + std::exp(-4)), 1e-12);
  EXPECT_FALSE(predicted.margin.defined());
}

TEST(ClassPredictions, OfTwoClassesHaveAMarginThatDoesNotSaturate) {
  const auto predicted = class_predictions(matrix({{0, 50}, {0, 60}, {1, 0.5}}));
  EXPECT_TRUE(predicted.margin.equal(at::tensor({50.0, 60.0, -0.5}, at::kDouble)));
  EXPECT_DOUBLE_EQ(predicted.probability[1].item<double>(), 1);
}

TEST(ClassPredictions, AreTheSameInBlocksAndBatches) {
  const auto logits = at::arange(3 * 9000, at::kFloat).sin().view({9000, 3});
  const auto whole = class_predictions(logits);
  const auto parts = joined({class_predictions(logits.narrow(0, 0, 5000)),
                             class_predictions(logits.narrow(0, 5000, 4000))});
  EXPECT_TRUE(whole.classes.equal(logits.argmax(1)));
  EXPECT_TRUE(
      whole.probability.allclose(std::get<0>(logits.to(at::kDouble).softmax(1).max(1)), 1e-12));
  EXPECT_TRUE(parts.classes.equal(whole.classes));
  EXPECT_TRUE(parts.probability.equal(whole.probability));
  const auto some = whole.rows(longs({8999, 0}));
  EXPECT_TRUE(some.probability.equal(at::stack({whole.probability[8999], whole.probability[0]})));
}

TEST(ClassPredictions, OfInfiniteLogitsAreNotANumber) {
  const float infinite = std::numeric_limits<float>::infinity();
  const auto predicted = class_predictions(matrix({{infinite, infinite}}));
  EXPECT_TRUE(predicted.probability.isnan().all().item<bool>());
  EXPECT_TRUE(predicted.margin.isnan().all().item<bool>());
}

TEST(ClassPredictions, NeedLogits) {
  EXPECT_ERROR(class_predictions(at::zeros({3})), "logits are float32 [3], expected [N, C]");
}

}  // namespace
}  // namespace neurontune
