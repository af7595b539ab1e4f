#include "neurontune/method/neuron_tune.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <string>

#include "error_matchers.h"
#include "on_device.h"
#include "straight_accuracy.h"
#include "straight_medians.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// Two classes told apart by dimension 0, which the ERM head ignores for dimension 1: high in class
/// 0 where the head errs. The other dimensions are noise.
struct Problem {
  LabelledEmbeddings data;
  Head erm{at::zeros({2, 8}), at::zeros({2})};
  NeuronTuneOptions options;

  explicit Problem(double noise = 0.6) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
    const int64_t samples = 600;
    data.labels = at::arange(samples).remainder(2);
    data.embeddings = at::randn({samples, 8}, generator).mul(noise);
    const auto minority = at::arange(samples).remainder(10).lt(2);  // both classes, a fifth
    const auto sign = data.labels.to(at::kFloat) * 2 - 1;
    const auto cue = at::where(minority, -sign, sign);
    data.embeddings.select(1, 0).add_(sign);
    data.embeddings.select(1, 1).add_(cue);
    erm.weight[0][1] = -1;
    erm.weight[1][1] = 1;
    options.identify.activation = Activation::magnitude;
    options.select.criterion = Criterion::guarded_sfit;
    options.tune.epochs = 3;
    options.tune.batches_per_epoch = 10;
  }
  NeuronTuneResult run() const { return neuron_tune(data, data, erm, options); }
};

TEST(NeuronTune, MasksAndRetrainsBehindTheMask) {
  Problem problem;
  problem.options.identify.activation = Activation::raw;
  problem.options.identify.aggregate = Aggregate::union_;
  problem.options.identify.threshold = 1;
  const auto result = problem.run();
  EXPECT_TRUE(result.biased.biased[1].item<bool>());
  EXPECT_FALSE(result.biased.biased[0].item<bool>());
  EXPECT_TRUE(result.head.weight.select(1, 1).equal(at::zeros({2})));
  EXPECT_NEAR(result.erm_accuracy.mean_accuracy, 0.8, 0.03);
  EXPECT_GT(result.trajectory.back().accuracy.mean_accuracy, 0.9);
}

TEST(NeuronTune, ResultSpeaksOfTheSelectedEpoch) {
  Problem problem;
  problem.options.select.criterion = Criterion::sfit;
  problem.options.tune.refresh = 1;
  problem.options.tune.learning_rate = 1e-4;
  const auto result = problem.run();
  ASSERT_FALSE(result.candidates.empty());
  const auto& selected = result.candidates.front();
  EXPECT_EQ(result.selected_epoch, selected.epoch);
  EXPECT_EQ(result.sfit, selected.sfit);
  EXPECT_THAT(result.reason, HasSubstr("is the highest of 3 epochs."));
  EXPECT_TRUE(result.head.weight.equal(selected.head.weight));
  EXPECT_TRUE(result.biased.biased.equal(selected.biased.biased));
  EXPECT_TRUE(biased_dimensions(result.scores, problem.options.identify)
                  .biased.equal(result.biased.biased));
}

TEST(NeuronTune, WithoutAnySfitTheErmHeadIsKeptWithAWarning) {
  Problem problem(/*noise=*/0.1);
  problem.options.identify.threshold = 1;
  problem.options.identify.activation = Activation::raw;
  problem.options.tune.learning_rate = 1;  // perfect after one epoch: no mistakes to score
  const auto result = problem.run();
  EXPECT_EQ(result.selected_epoch, 0);
  ASSERT_EQ(result.candidates.size(), 1U);
  EXPECT_FALSE(result.sfit);
  EXPECT_TRUE(result.head.weight.equal(problem.erm.weight));
  EXPECT_EQ(result.biased.count(), 0);
  EXPECT_THAT(result.warnings, Contains(HasSubstr("the ERM head is kept")));
  EXPECT_EQ(result.reason,
            "No epoch has a spuriousness fitness score, since no class had both correct and "
            "misclassified samples.");
}

TEST(NeuronTune, TestsMistakesOnlyWhereAsked) { EXPECT_FALSE(Problem().run().test); }

TEST(NeuronTune, CriteriaOfRepairAreRefused) {
  for (const auto criterion : {Criterion::inferred_groups, Criterion::worst_group}) {
    Problem problem;
    problem.options.select.criterion = criterion;
    EXPECT_ERROR_OF(OptionError, problem.run(),
                    std::string("criterion is ") + name(criterion) +
                        "; neuron_tune() has sfit and guarded_sfit");
  }
}

TEST(NeuronTune, TakesAMaskForEachClass) {
  Problem problem;
  problem.options.identify.aggregate = Aggregate::per_class;
  const auto result = problem.run();
  EXPECT_EQ(result.biased.biased.sizes(), (std::vector<int64_t>{2, 8}));
  EXPECT_GT(result.biased.count(), 0);
  for (const auto& candidate : result.candidates) {
    const at::Tensor dropped = candidate.head.weight * result.biased.biased;
    EXPECT_EQ(dropped.count_nonzero().item<int64_t>(), 0);
  }
}

TEST(NeuronTune, KeepsTheTestOfTheFirstIdentification) {
  NeuronTuneOptions options;
  options.identify.significance = Significance::plain;
  options.tune.epochs = 1;
  options.tune.batches_per_epoch = 1;
  const auto held_out = world_with_shortcut(1);
  const auto result =
      neuron_tune(held_out.data(), world_with_shortcut(2).data(), held_out.erm, options);
  ASSERT_TRUE(result.test.has_value());
  EXPECT_TRUE(result.test->plain.p_values.equal(
      test_mistakes(held_out.data(), held_out.erm).plain.p_values));
}

TEST(NeuronTune, BitsDoNotDependOnTheNumberOfThreads) {
  const Problem problem;
  const auto one = with_threads(1, [&] { return problem.run(); });
  const auto two = with_threads(2, [&] { return problem.run(); });
  EXPECT_TRUE(one.head.weight.equal(two.head.weight));
  EXPECT_EQ(one.selected_epoch, two.selected_epoch);
  EXPECT_EQ(one.sfit, two.sfit);
}

TEST(NeuronTune, AnotherSeedDrawsOtherBatches) {
  Problem problem;
  const auto first = problem.run();
  problem.options.seed = 1;
  EXPECT_FALSE(problem.run().trajectory[0].head.weight.equal(first.trajectory[0].head.weight));
}

TEST(NeuronTune, InputsThatTrackGradientsAreTaken) {
  Problem problem;
  problem.data.embeddings.requires_grad_();
  problem.erm.weight.requires_grad_();
  EXPECT_FALSE(problem.run().head.weight.requires_grad());
}

TEST(NeuronTune, WarnsOfAMemorisedSplit) {
  Problem problem(/*noise=*/0.1);
  problem.erm.weight.zero_();
  problem.erm.weight[0][0] = -1;
  problem.erm.weight[1][0] = 1;
  problem.data.labels[0] = 1;  // the one mistake
  EXPECT_THAT(problem.run().warnings, Contains(HasSubstr("is it training data?")));
  EXPECT_THAT(
      problem.run().warnings,
      Contains(HasSubstr(
          "class 0 cannot show biased dimensions: the identification split has no mistake of it")));
}

TEST(NeuronTune, ValuesThatAreNotFiniteAreNamed) {
  Problem problem;
  problem.data.embeddings[5][2] = INFINITY;
  EXPECT_ERROR(problem.run(), "row 5, dimension 2 is inf");
}

TEST(NeuronTune, ReportsEachEpoch) {
  const Problem problem;
  std::vector<int64_t> epochs;
  neuron_tune(problem.data, problem.data, problem.erm, problem.options,
              [&](std::string_view stage, int64_t done, int64_t total) {
                EXPECT_EQ(stage, "tune");
                EXPECT_EQ(total, 3);
                epochs.push_back(done);
              });
  EXPECT_EQ(epochs, (std::vector<int64_t>{1, 2, 3}));
}

class NeuronTuneOnDevice : public OnDevice {};

/// The scores and flags of class-wise medians, by sorting, under the head's predictions one by one.
TEST_P(NeuronTuneOnDevice, ScoresAndFlagsAreThoseOfSortingEachClass) {
  Problem problem;
  problem.options.select.criterion = Criterion::sfit;
  const auto &embeddings = problem.data.embeddings, &labels = problem.data.labels;
  const auto data = there(problem.data);
  const auto found = neuron_tune(data, data, there(problem.erm), problem.options);
  EXPECT_EQ(found.head.weight.device(), device());
  EXPECT_EQ(found.scores.scores.device(), device());

  const auto correct = at::tensor(straight_predictions(problem.erm, embeddings)).eq(labels);
  std::vector<at::Tensor> scores;
  for (const int64_t label : {0, 1}) {
    const auto median = [&](const at::Tensor& where) {
      const auto rows = labels.eq(label).logical_and(where).nonzero().squeeze(1);
      return straight_medians(embeddings, rows, Activation::magnitude);
    };
    scores.push_back(median(correct.logical_not()) - median(correct));
  }
  EXPECT_TRUE(found.scores.scores.cpu().equal(at::stack(scores)));
  const auto highest = at::maximum(scores[0], scores[1]);
  auto expected = highest.gt(0);
  expected.index_fill_(0, highest.argsort().slice(0, 0, 2), false);  // as many as classes are kept
  EXPECT_TRUE(found.biased.biased.cpu().equal(expected));
}

NEURONTUNE_ON_EVERY_DEVICE(NeuronTuneOnDevice);

}  // namespace
}  // namespace neurontune
