#include "neurontune/shortcut/inferred_accuracy.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "error_matchers.h"
#include "neurontune/metrics/group_accuracy.h"
#include "oracle_cases.h"
#include "tensors.h"

namespace neurontune {
namespace {

TEST(Oracle, InferredAccuracyIsTheFormulas) {
  const auto cases = oracle_cases("inferred_accuracy");
  ASSERT_GE(cases.size(), 30U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto found = inferred_accuracy(expected.tensor("predictions"), expected.tensor("labels"),
                                         expected.tensor("beliefs"), expected.integer("classes"));
    EXPECT_TRUE(found.samples.allclose(expected.tensor("samples"), 0, 1e-9));
    EXPECT_TRUE(found.accuracy.allclose(expected.tensor("accuracy"), 0, 1e-12));
    EXPECT_TRUE(found.lower.allclose(expected.tensor("lower"), 0, 1e-12));
    EXPECT_TRUE(found.upper.allclose(expected.tensor("upper"), 0, 1e-12));
    // Of equals either may be the worst.
    const auto lower = expected.tensor("lower");
    const auto worst = lower[expected.integer("worst_label")][expected.integer("worst_attribute")];
    EXPECT_NEAR(found.worst_lower(), worst.item<double>(), 1e-12);
    EXPECT_TRUE(expected.tensor("labels").eq(found.worst_label).any().item<bool>());
  }
}

/// 60 samples of class 0 and 40 of class 1, with a known attribute.
struct Judged {
  at::Tensor labels = at::arange(100).ge(60).to(at::kLong);
  at::Tensor attributes, predictions;

  Judged() {
    auto random = at::detail::createCPUGenerator(1);
    attributes = at::randint(0, 2, {100}, random, at::kLong);
    predictions = at::where(at::rand({100}, random).lt(0.7), labels, 1 - labels);
  }
  InferredAccuracy accuracy(int64_t classes = 2) const {
    return inferred_accuracy(predictions, labels, at::one_hot(attributes, 2).to(at::kFloat),
                             classes);
  }
};

TEST(InferredAccuracy, OfCertainBeliefsCountsTheGroups) {
  const Judged judged;
  const auto found = judged.accuracy();
  const auto counts = at::bincount(2 * judged.labels + judged.attributes, {}, 4);
  EXPECT_TRUE(found.samples.equal(counts.view({2, 2}).to(at::kDouble)));
  const auto true_groups =
      group_metrics(judged.predictions, judged.labels, judged.attributes, 2, 2).groups;
  for (const auto& group : true_groups) {
    // Shrunk, by 10 samples at the accuracy of the class's groups.
    double rates = 0, known = 0;
    for (const auto& other : true_groups) {
      if (other.label != group.label) continue;
      const auto n = static_cast<double>(other.count);
      rates += other.accuracy * n / (n + 10);
      known += n / (n + 10);
    }
    const auto n = static_cast<double>(group.count);
    EXPECT_NEAR(found.accuracy[group.label][group.attribute].item<double>(),
                (n * group.accuracy + 10 * rates / known) / (n + 10), 1e-12);
  }
}

TEST(InferredAccuracy, LiesWithinItsIntervalWhichManySamplesNarrow) {
  const Judged few;
  const auto many = inferred_accuracy(few.predictions.repeat(100), few.labels.repeat(100),
                                      at::one_hot(few.attributes, 2).repeat({100, 1}), 2);
  const auto found = few.accuracy();
  EXPECT_TRUE(found.lower.lt(found.accuracy).all().item<bool>());
  EXPECT_TRUE(found.upper.gt(found.accuracy).all().item<bool>());
  EXPECT_TRUE((many.upper - many.lower).lt((found.upper - found.lower) / 5).all().item<bool>());
}

TEST(InferredAccuracy, TheWorstIsTheGroupOfTheLowestLowerBoundNotOfTheLowestAccuracy) {
  // Class 0: 1000 samples, 70 % right. Class 1: 20 samples, 75 % right, of which less is sure.
  const auto labels = at::arange(1020).ge(1000).to(at::kLong);
  auto predictions = labels.clone();
  predictions.slice(0, 0, 300).fill_(1);
  predictions.slice(0, 1000, 1005).fill_(0);
  const auto found = inferred_accuracy(predictions, labels, at::ones({1020, 1}), 2);
  EXPECT_NEAR(found.accuracy[0][0].item<double>(), 0.7, 1e-12);
  EXPECT_EQ(found.worst_label, 1);
  EXPECT_EQ(found.worst_attribute, 0);
  EXPECT_NEAR(found.worst_accuracy(), 0.75, 1e-12);
  EXPECT_EQ(found.worst_lower(), found.lower.min().item<double>());
  EXPECT_EQ(found.worst_upper(), found.upper[1][0].item<double>());
}

TEST(InferredAccuracy, ARareGroupIsNotSavedByTheCommonOneOfItsClass) {
  // One class: 1000 samples of value 0, all right; two each of values 1 to 9, all wrong.
  const auto values = at::cat({at::zeros({1000}, at::kLong), at::arange(18) % 9 + 1});
  const auto predictions = values.ne(0).to(at::kLong);
  const auto found =
      inferred_accuracy(predictions, at::zeros({1018}, at::kLong), at::one_hot(values, 10), 1);
  EXPECT_NEAR(found.accuracy[0][0].item<double>(), 1, 0.01);
  EXPECT_LT(found.worst_accuracy(), 0.4);
}

TEST(InferredAccuracy, AGroupOfNoSampleIsJudgedByItsClass) {
  const auto found = inferred_accuracy(longs({0, 0, 0, 1}), longs({0, 0, 0, 0}),
                                       at::one_hot(at::zeros({4}, at::kLong), 2), 1);
  EXPECT_EQ(found.samples[0][1].item<double>(), 0);
  EXPECT_NEAR(found.accuracy[0][1].item<double>(), 0.75, 1e-12);
  EXPECT_EQ(found.worst_attribute, 1) << "less is known of it";
}

TEST(InferredAccuracy, AClassWithoutSamplesIsNeverTheWorst) {
  const auto found = Judged().accuracy(/*classes=*/3);
  EXPECT_TRUE(found.accuracy[2].equal(at::ones({2}, at::kDouble)));
  EXPECT_TRUE(found.lower[2].equal(at::zeros({2}, at::kDouble)));
  EXPECT_TRUE(found.upper[2].equal(at::ones({2}, at::kDouble)));
  EXPECT_LT(found.worst_label, 2);
}

TEST(InferredAccuracy, RefusesWhatItCannotUse) {
  const auto beliefs = at::ones({2, 1});
  EXPECT_ERROR(inferred_accuracy(longs({0, 1}), longs({0}), beliefs, 2), "labels have 1 rows");
  EXPECT_ERROR(inferred_accuracy(longs({0, 1}), longs({0, 2}), beliefs, 2), "labels hold 2");
  EXPECT_ERROR(inferred_accuracy(longs({0, 1}), longs({0, 1}), at::ones({3, 1}), 2),
               "beliefs are float32 [3, 1], expected [2, A]");
}

}  // namespace
}  // namespace neurontune
