#include "neurontune/metrics/classification_metrics.h"

#include <ATen/ATen.h>

#include <cmath>

#include "error_matchers.h"
#include "neurontune/metrics/split_metrics.h"
#include "tensors.h"

namespace neurontune {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

auto near(double value) { return Optional(DoubleNear(value, 1e-12)); }

// The figures are those of scikit-learn 1.5: f1_score(labels, predictions, average="macro").
TEST(MacroF1, IsScikitLearns) {
  EXPECT_NEAR(macro_f1(longs({0, 1, 1, 2, 4}), longs({0, 0, 1, 2, 2}), 6), 0.5, 1e-12)
      << "3 and 5 are named by none and do not count, 4 by a prediction only and counts 0";
  EXPECT_NEAR(macro_f1(longs({0, 0, 0, 0}), longs({0, 0, 1, 1}), 2), 1.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(macro_f1(longs({1, 0}), longs({1, 0}), 2), 1);
}

TEST(MacroF1, RefusesAClassThatThereIsNot) {
  EXPECT_ERROR(macro_f1(longs({0, 2}), longs({0, 1}), 2), "predictions hold 2 in row 1");
}

// roc_auc_score(labels, scores)
TEST(Auroc, IsScikitLearnsWithEqualScores) {
  const auto scores = doubles({0.1, 0.4, 0.35, 0.8, 0.4, 0.4, -1});
  EXPECT_THAT(auroc(scores, longs({0, 0, 1, 1, 1, 0, 0})), near(0.75));
  EXPECT_THAT(auroc(doubles({2, 2}), longs({0, 1})), near(0.5));
}

TEST(Auroc, IsTheShareOfPairsInTheRightOrder) {
  const auto scores = at::arange(60, at::kDouble).mul(1.7).sin().mul(8).round();
  const auto labels = at::arange(60).remainder(3).eq(0).to(at::kLong);
  double right = 0, pairs = 0;
  for (int64_t i = 0; i < 60; ++i)
    for (int64_t j = 0; j < 60; ++j) {
      if (labels[i].item<int64_t>() != 1 || labels[j].item<int64_t>() != 0) continue;
      const double one = scores[i].item<double>(), other = scores[j].item<double>();
      right += one > other ? 1 : one == other ? 0.5 : 0;
      ++pairs;
    }
  EXPECT_THAT(auroc(scores, labels), near(right / pairs));
}

TEST(Auroc, IsUnknownWithoutBothClassesOrWithNan) {
  EXPECT_EQ(auroc(doubles({1, 2}), longs({1, 1})), std::nullopt);
  EXPECT_EQ(auroc(doubles({1, 2}), longs({0, 0})), std::nullopt);
  EXPECT_EQ(auroc(doubles({1, std::nan("")}), longs({0, 1})), std::nullopt);
}

// Worked out bin by bin in NumPy, (0, 1/15], (1/15, 2/15], …: a bin holds its upper edge.
TEST(CalibrationError, WeighsTheGapsOfBinsByTheirSamples) {
  const auto probability = doubles({0.5, 0.6, 0.61, 0.65, 1, 1, 1.0 / 3, 0.4});
  const auto correct = longs({1, 0, 1, 1, 1, 0, 0, 1}).to(at::kBool);
  EXPECT_THAT(expected_calibration_error(probability, correct), near(0.4716666666666667));
  EXPECT_THAT(expected_calibration_error(probability, correct, 2), near(0.2033333333333333));
  EXPECT_THAT(expected_calibration_error(probability, correct, 1), near(0.0116666666666667));
}

TEST(CalibrationError, IsUnknownWithNan) {
  EXPECT_EQ(expected_calibration_error(doubles({0.5, std::nan("")}), at::ones({2}, at::kBool)),
            std::nullopt);
}

TEST(SplitMetrics, OfProbabilitiesHaveThemToo) {
  const GroupSpace space{2, 0, {}};
  const auto labels = longs({0, 1, 1});
  const auto predicted = class_predictions(matrix({{1, 0}, {0, 3}, {1, 0.5}}));
  const auto metrics = split_metrics(predicted, labels, {}, space);
  EXPECT_THAT(metrics.auroc, near(1));
  EXPECT_EQ(metrics.expected_calibration_error,
            expected_calibration_error(predicted.probability, longs({1, 1, 0}).to(at::kBool)));
  EXPECT_NEAR(metrics.macro_f1, 2.0 / 3, 1e-12);
  const auto without = split_metrics(predicted.classes, labels, {}, space);
  EXPECT_EQ(without.auroc, std::nullopt);
  EXPECT_EQ(without.expected_calibration_error, std::nullopt);
  EXPECT_EQ(without.macro_f1, metrics.macro_f1);
}

TEST(SplitMetrics, OfThreeClassesHaveNoAuroc) {
  const auto predicted = class_predictions(matrix({{1, 0, 0}, {0, 3, 0}}));
  EXPECT_EQ(split_metrics(predicted, longs({0, 1}), {}, {3, 0, {}}).auroc, std::nullopt);
}

}  // namespace
}  // namespace neurontune
