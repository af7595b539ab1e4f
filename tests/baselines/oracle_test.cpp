// The baselines against tests/oracle/baselines.py, which is written straight from their equations.
// tests/oracle/generate_baselines.py writes the cases when the tests run.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "baselines/l1_logistic_regression.h"
#include "neurontune/baselines/afr.h"
#include "neurontune/baselines/dfr.h"
#include "neurontune/baselines/last_layer_retraining.h"
#include "neurontune/baselines/self.h"
#include "neurontune/baselines/shortcut_probe.h"
#include "oracle_cases.h"

namespace neurontune {
namespace {

LabelledEmbeddings learning_split(const OracleCase& expected) {
  return {expected.tensor("embeddings"), expected.tensor("labels")};
}

LabelledEmbeddings held_out_split(const OracleCase& expected) {
  return {expected.tensor("held_out_embeddings"), expected.tensor("held_out_labels")};
}

Head erm(const OracleCase& expected) {
  return {expected.tensor("weight"), expected.tensor_or_none("bias")};
}

uint64_t seed(const OracleCase& expected) {
  return static_cast<uint64_t>(expected.integer("seed"));
}

void expect_tuned(const Head& head, const OracleCase& expected) {
  EXPECT_TRUE(close(head.weight, expected.tensor("tuned_weight")));
  EXPECT_TRUE(close(head.bias, expected.tensor_or_none("tuned_bias")));
}

TEST(BaselineOracle, LastLayerRetrainingIsAutogradsAndTorchOptims) {
  const auto cases = oracle_cases("last_layer");
  ASSERT_EQ(cases.size(), 8U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    expect_tuned(retrain_last_layer(learning_split(expected), erm(expected),
                                    retraining_options(expected), seed(expected)),
                 expected);
  }
}

TEST(BaselineOracle, L1LogisticRegressionHasScikitLearnsMinimum) {
  const auto cases = oracle_cases("regression");
  ASSERT_EQ(cases.size(), 18U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto fitted = l1_logistic_regression(
        expected.tensor("features"), expected.tensor("labels"), expected.integer("classes"),
        expected.number("inverse_penalty"), /*seed=*/3, /*tolerance=*/1e-10);
    EXPECT_TRUE(close_within(fitted.weight, expected.tensor("fitted_weight"), 1e-6));
    EXPECT_TRUE(close_within(fitted.intercept, expected.tensor("fitted_intercept"), 1e-6));
    EXPECT_TRUE(fitted.weight.eq(0).equal(expected.tensor("fitted_weight").eq(0)));
  }
}

TEST(BaselineOracle, DfrIsScikitLearns) {
  const auto cases = oracle_cases("dfr");
  ASSERT_GE(cases.size(), 9U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    DfrOptions options;
    options.inverse_penalties = expected.numbers("inverse_penalties");
    options.refits = expected.integer("refits");
    options.seed = seed(expected);
    const auto result =
        dfr({learning_split(expected), expected.tensor("attributes")},
            {held_out_split(expected), expected.tensor("held_out_attributes")},
            expected.integer("classes"), expected.integer("attribute_values"), options);
    EXPECT_EQ(result.inverse_penalty, expected.number("inverse_penalty"));
    // Both solvers stop within their tolerance of the minimum, not at the same point.
    EXPECT_NEAR(result.held_out_worst_group_accuracy, expected.number("held_out_accuracy"), 0.01);
    EXPECT_TRUE(close_within(result.head.weight, expected.tensor("tuned_weight"), 5e-3));
    const Head head{expected.tensor("tuned_weight"), expected.tensor("tuned_bias")};
    const auto embeddings = expected.tensor("held_out_embeddings");
    EXPECT_TRUE(close_within(logits(result.head, embeddings), logits(head, embeddings), 5e-3));
  }
}

TEST(BaselineOracle, AfrIsAutogradsAndTorchOptims) {
  const auto cases = oracle_cases("afr");
  ASSERT_EQ(cases.size(), 12U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    AfrOptions options;
    options.gammas = expected.numbers("gammas");
    options.penalties = expected.numbers("penalties");
    options.steps = expected.integer("steps");
    options.learning_rate = expected.number("learning_rate");
    options.gradient_norm = expected.number("gradient_norm");
    const auto result =
        afr(learning_split(expected), held_out_split(expected), erm(expected), options);
    EXPECT_EQ(result.gamma, expected.number("gamma"));
    EXPECT_EQ(result.penalty, expected.number("penalty"));
    EXPECT_NEAR(result.held_out_worst_class_accuracy, expected.number("held_out_accuracy"), 1e-12);
    expect_tuned(result.head, expected);
  }
}

ShortcutProbeOptions shortcut_probe_options(const OracleCase& expected) {
  ShortcutProbeOptions options;
  options.prompts = expected.integer("prompts");
  options.probe_share = expected.number("probe_share");
  options.similarity_weight = expected.number("similarity_weight");
  options.shortcut_weight = expected.number("shortcut_weight");
  options.detection_epochs = expected.integer("detection_epochs");
  options.mitigation_epochs = expected.integer("mitigation_epochs");
  options.batch_size = expected.integer("batch_size");
  options.detection_learning_rate = expected.number("detection_learning_rate");
  options.mitigation_learning_rate = expected.number("mitigation_learning_rate");
  options.momentum = expected.number("momentum");
  options.weight_decay = expected.number("weight_decay");
  options.seed = seed(expected);
  return options;
}

TEST(BaselineOracle, ShortcutProbeIsAutogradsAndTorchOptims) {
  const auto cases = oracle_cases("shortcut_probe");
  ASSERT_EQ(cases.size(), 8U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto result = shortcut_probe(learning_split(expected), held_out_split(expected),
                                       erm(expected), shortcut_probe_options(expected));
    EXPECT_TRUE(close(result.prompts, expected.tensor("found_prompts")));
    EXPECT_EQ(result.selected_epoch, expected.integer("selected_epoch"));
    EXPECT_NEAR(result.held_out_worst_class_accuracy, expected.number("held_out_accuracy"), 1e-12);
    expect_tuned(result.head, expected);
  }
}

TEST(BaselineOracle, SelfIsAutogradsAndTorchOptims) {
  const auto cases = oracle_cases("self");
  ASSERT_EQ(cases.size(), 6U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    SelfOptions options;
    options.learning_rates = expected.numbers("learning_rates");
    options.steps = expected.integer("steps");
    options.batch_size = expected.integer("batch_size");
    options.momentum = expected.number("momentum");
    options.weight_decay = expected.number("weight_decay");
    options.seed = seed(expected);
    const auto result =
        self(learning_split(expected), held_out_split(expected), erm(expected), options);
    EXPECT_EQ(result.learning_rate, expected.number("learning_rate"));
    EXPECT_EQ(result.samples, expected.integer("samples"));
    EXPECT_NEAR(result.held_out_worst_class_accuracy, expected.number("held_out_accuracy"), 1e-12);
    expect_tuned(result.head, expected);
  }
}

}  // namespace
}  // namespace neurontune
