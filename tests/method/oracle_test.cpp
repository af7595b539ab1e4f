// The library against tests/oracle/method.py, which is written straight from the equations.
// tests/oracle/generate.py writes the cases when the tests run.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/base/error.h"
#include "neurontune/method/class_balanced_sampler.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/shortcut/inferred_groups.h"
#include "on_device.h"
#include "oracle_cases.h"

namespace neurontune {
namespace {

IdentificationOptions identification_options(const OracleCase& oracle_case) {
  IdentificationOptions options;
  options.aggregate = static_cast<Aggregate>(oracle_case.integer("aggregate"));
  options.threshold = oracle_case.number("threshold");
  if (oracle_case.has("threshold_quantile"))
    options.threshold_quantile = oracle_case.number("threshold_quantile");
  if (oracle_case.has("keep_at_least"))
    options.keep_at_least = oracle_case.integer("keep_at_least");
  return options;
}

TEST(Oracle, SpuriousnessScoresAreNumpys) {
  const auto cases = oracle_cases("scores");
  ASSERT_GE(cases.size(), 100U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const SpuriousnessScores scores = spuriousness_scores(
        expected.tensor("embeddings"), expected.tensor("labels"), expected.tensor("predictions"),
        expected.integer("classes"), static_cast<Activation>(expected.integer("activation")));
    EXPECT_TRUE(same(scores.scores, expected.tensor("scores")));
    EXPECT_TRUE(same(scores.median_correct, expected.tensor("median_correct")));
    EXPECT_TRUE(same(scores.median_misclassified, expected.tensor("median_misclassified")));
    EXPECT_EQ(scores.correct, expected.integers("correct"));
    EXPECT_EQ(scores.misclassified, expected.integers("misclassified"));
    const std::optional<double> sfit = spuriousness_fitness(scores);
    ASSERT_EQ(sfit.has_value(), expected.has("sfit"));
    if (sfit) {
      EXPECT_NEAR(*sfit, expected.number("sfit"), 1e-12 * expected.number("sfit"));
    }
  }
}

TEST(Oracle, BiasedDimensionsAreNumpys) {
  const auto cases = oracle_cases("biased");
  ASSERT_GE(cases.size(), 500U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const at::Tensor unused = at::full_like(expected.tensor("scores"), NAN);
    const SpuriousnessScores scores{expected.tensor("scores"), unused, unused,
                                    expected.integers("correct"),
                                    expected.integers("misclassified")};
    const IdentificationOptions options = identification_options(expected);
    EXPECT_TRUE(close(aggregated_scores(scores, options.aggregate), expected.tensor("aggregated")));
    if (!expected.has("biased")) {
      EXPECT_THROW(biased_dimensions(scores, options), Error) << "every dimension is flagged";
      continue;
    }
    const BiasedDimensions biased = biased_dimensions(scores, options);
    EXPECT_TRUE(same(biased.biased, expected.tensor("biased")));
    EXPECT_EQ(biased.keep_at_least_binds, expected.integer("binds") == 1);
    EXPECT_EQ(biased.count(), expected.tensor("biased").sum().item<int64_t>());
  }
}

TEST(Oracle, BatchesAreTheContracts) {
  const auto cases = oracle_cases("sampler");
  ASSERT_GE(cases.size(), 5U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    ClassBalancedSampler sampler(expected.tensor("labels"), expected.integer("classes"),
                                 expected.integer("batch_size"), seeded(expected));
    EXPECT_TRUE(same(sampler.draw(7), expected.tensor("first")));
    EXPECT_TRUE(same(sampler.draw(4), expected.tensor("second")));
  }
}

TEST(Oracle, RetrainingIsAutogradsAndTorchOptims) {
  const auto cases = oracle_cases("retraining");
  ASSERT_GE(cases.size(), 50U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const RetrainingOptions options = retraining_options(expected);
    const Head erm{expected.tensor("weight"), expected.tensor_or_none("bias")};
    at::Generator generator = seeded(expected);
    const Head start = options.start == Start::erm ? erm : fresh_head(erm, generator);
    HeadRetrainer retrainer(expected.tensor("embeddings"), expected.tensor("labels"), start,
                            options, generator);
    const at::Tensor mask = expected.tensor_or_none("mask");
    if (mask.defined()) retrainer.set_mask(mask);

    std::vector<double> losses;
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch)
      losses.push_back(retrainer.run_epoch());
    EXPECT_TRUE(close(retrainer.head().weight, expected.tensor("masked_weight")));
    EXPECT_TRUE(close(retrainer.head().bias, expected.tensor_or_none("masked_bias")));

    retrainer.set_mask(at::ones({erm.embedding_dim()}, erm.weight.options()));
    EXPECT_TRUE(close(retrainer.head().weight, expected.tensor("unmasked_weight")));
    losses.push_back(retrainer.run_epoch());
    EXPECT_TRUE(close(retrainer.head().weight, expected.tensor("after_weight")));
    EXPECT_TRUE(close(retrainer.head().bias, expected.tensor_or_none("after_bias")));

    const at::Tensor expected_losses = expected.tensor("losses");
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const double loss = expected_losses[static_cast<int64_t>(i)].item<double>();
      EXPECT_NEAR(losses[i], loss, tolerance(erm.weight.scalar_type()) * loss);
    }
  }
}

/// The groups present of a table [C · A].
GroupCounts sparse(const at::Tensor& counts, int64_t values) {
  GroupCounts present;
  for (int64_t group = 0; group < counts.size(0); ++group)
    if (const auto count = counts[group].item<int64_t>(); count > 0)
      present[{group / values, group % values}] = count;
  return present;
}

TEST(Oracle, MetricsAreNumpysAndScikitLearns) {
  const auto cases = oracle_cases("metrics");
  ASSERT_GE(cases.size(), 50U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const at::Tensor predicted = expected.tensor("predictions");
    const at::Tensor labels = expected.tensor("labels");
    const at::Tensor attributes = expected.tensor("attributes");
    const int64_t classes = expected.integer("classes");
    const int64_t values = expected.integer("attribute_values");

    const AccuracyMetrics accuracy = accuracy_metrics(predicted, labels, classes);
    EXPECT_EQ(accuracy.samples, labels.size(0));
    EXPECT_NEAR(accuracy.mean_accuracy, expected.number("mean_accuracy"), 1e-12);
    EXPECT_NEAR(accuracy.balanced_accuracy, expected.number("balanced_accuracy"), 1e-12);
    EXPECT_NEAR(accuracy.worst_class_accuracy, expected.number("worst_class_accuracy"), 1e-12);
    ASSERT_EQ(accuracy.class_accuracy.size(), static_cast<std::size_t>(classes));
    for (int64_t c = 0; c < classes; ++c) {
      const double of_class = expected.tensor("class_accuracy")[c].item<double>();
      const auto& found = accuracy.class_accuracy[static_cast<std::size_t>(c)];
      ASSERT_EQ(found.has_value(), !std::isnan(of_class));
      if (found) {
        EXPECT_NEAR(*found, of_class, 1e-12);
      }
    }

    EXPECT_EQ(group_counts(labels, attributes, classes, values),
              sparse(expected.tensor("counts"), values));
    const GroupMetrics groups = group_metrics(predicted, labels, attributes, classes, values,
                                              sparse(expected.tensor("train_counts"), values));
    const std::vector<int64_t> present = expected.integers("present");
    ASSERT_EQ(groups.groups.size(), present.size());
    for (std::size_t i = 0; i < present.size(); ++i) {
      EXPECT_EQ(groups.groups[i].label * values + groups.groups[i].attribute, present[i]);
      EXPECT_EQ(groups.groups[i].count, expected.tensor("counts")[present[i]].item<int64_t>());
      EXPECT_NEAR(groups.groups[i].accuracy,
                  expected.tensor("group_accuracy")[static_cast<int64_t>(i)].item<double>(), 1e-12);
    }
    EXPECT_NEAR(groups.worst_group_accuracy, expected.number("worst_group_accuracy"), 1e-12);
    EXPECT_EQ(static_cast<int64_t>(groups.worst_group), expected.integer("worst_group"));
    ASSERT_EQ(groups.adjusted_mean_accuracy.has_value(), expected.has("adjusted"));
    if (expected.has("adjusted")) {
      EXPECT_NEAR(*groups.adjusted_mean_accuracy, expected.number("adjusted"), 1e-12);
    }
  }
}

TEST(Oracle, InferredGroupsAreThoseOfTheDensities) {
  const auto cases = oracle_cases("inferred_groups");
  ASSERT_GE(cases.size(), 10U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const at::Tensor embeddings = expected.tensor("embeddings"), labels = expected.tensor("labels");
    const InferredGroups groups =
        infer_groups({embeddings.slice(0, 0, 200), labels.slice(0, 0, 200)},
                     expected.tensor("evidence").slice(0, 0, 200), expected.integer("classes"),
                     {expected.number("confidence"), expected.number("smoothing"),
                      expected.number("error_quantile"), expected.number("shrinkage"),
                      expected.integer("rounds"), expected.number("group_samples")});
    EXPECT_TRUE(close_within(groups.distances(), expected.tensor("distances"), 1e-6));
    EXPECT_TRUE(close(groups.log_prior, expected.tensor("log_prior")));
    EXPECT_TRUE(close(groups.calibration, expected.tensor("calibration")));
    EXPECT_TRUE(close(groups.class_effects, expected.tensor("class_effects")));
    EXPECT_TRUE(close(groups.attribute_effects, expected.tensor("attribute_effects")));
    EXPECT_TRUE(close(groups.discriminants, expected.tensor("discriminants")));
    EXPECT_TRUE(close(groups.beliefs({embeddings, labels}), expected.tensor("beliefs")));
  }
}

NeuronTuneOptions neuron_tune_options(const OracleCase& oracle_case) {
  NeuronTuneOptions options;
  options.identify = identification_options(oracle_case);
  options.identify.activation = static_cast<Activation>(oracle_case.integer("activation"));
  options.identify.mask_value = oracle_case.number("mask_value");
  options.tune = retraining_options(oracle_case);
  options.select.criterion = static_cast<Criterion>(oracle_case.integer("criterion"));
  options.select.guard = oracle_case.number("guard");
  options.seed = static_cast<uint64_t>(oracle_case.integer("seed"));
  return options;
}

void expect_same_epoch(const Checkpoint& checkpoint, const OracleCase& expected, int64_t epoch) {
  EXPECT_EQ(checkpoint.epoch, epoch + 1);
  const auto number = [&](const char* field) {
    return expected.tensor(field)[epoch].item<double>();
  };
  ASSERT_TRUE(checkpoint.loss.has_value());
  EXPECT_NEAR(*checkpoint.loss, number("losses"), 1e-9 * number("losses"));
  EXPECT_NEAR(checkpoint.accuracy.balanced_accuracy, number("balanced_accuracies"), 1e-12);
  ASSERT_TRUE(checkpoint.sfit.has_value());
  EXPECT_NEAR(*checkpoint.sfit, number("sfits"), 1e-9 * number("sfits"));
  EXPECT_TRUE(close(checkpoint.head.weight.cpu(), expected.tensor("epoch_weights")[epoch]));
  EXPECT_TRUE(close(checkpoint.head.bias.cpu(), expected.tensor("epoch_biases")[epoch]));
  EXPECT_TRUE(same(checkpoint.biased.biased.cpu(), expected.tensor("epoch_biased")[epoch]));
}

class NeuronTuneOracleOnDevice : public OnDevice {};

TEST_P(NeuronTuneOracleOnDevice, IsTheStraightVersion) {
  const auto cases = oracle_cases("neuron_tune");
  ASSERT_GE(cases.size(), 40U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const NeuronTuneResult result = neuron_tune(
        {there(expected.tensor("identification_embeddings")),
         there(expected.tensor("identification_labels"))},
        {there(expected.tensor("tuning_embeddings")), there(expected.tensor("tuning_labels"))},
        there(Head{expected.tensor("weight"), expected.tensor("bias")}),
        neuron_tune_options(expected));
    EXPECT_EQ(result.head.weight.device(), device());
    ASSERT_EQ(static_cast<int64_t>(result.trajectory.size()), expected.integer("epochs"));
    for (int64_t epoch = 0; epoch < expected.integer("epochs"); ++epoch) {
      SCOPED_TRACE("epoch " + std::to_string(epoch + 1));
      expect_same_epoch(result.trajectory[static_cast<std::size_t>(epoch)], expected, epoch);
    }
    const std::vector<int64_t> candidates = expected.integers("candidates");
    std::vector<int64_t> found;
    for (const Checkpoint& candidate : result.candidates) found.push_back(candidate.epoch - 1);
    EXPECT_EQ(found, candidates);
    EXPECT_EQ(result.selected_epoch, candidates[0] + 1);
    EXPECT_TRUE(close(result.head.weight.cpu(), expected.tensor("epoch_weights")[candidates[0]]));
    EXPECT_TRUE(close(result.head.bias.cpu(), expected.tensor("epoch_biases")[candidates[0]]));
    EXPECT_TRUE(same(result.biased.biased.cpu(), expected.tensor("epoch_biased")[candidates[0]]));
    EXPECT_TRUE(close(result.scores.scores.cpu(), expected.tensor("selected_scores")));
  }
}

NEURONTUNE_ON_EVERY_DEVICE(NeuronTuneOracleOnDevice);

}  // namespace
}  // namespace neurontune
