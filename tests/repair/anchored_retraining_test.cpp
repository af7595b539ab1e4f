#include "neurontune/repair/anchored_retraining.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "core/stratified_folds.h"
#include "error_matchers.h"
#include "neurontune/metrics/group_accuracy.h"
#include "on_device.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

/// Three classes in five dimensions of different means and deviations, in float64.
struct Problem {
  LabelledEmbeddings data;
  Head erm;
  AnchoredOptions options;

  explicit Problem(uint64_t seed = 1) {
    auto random = at::detail::createCPUGenerator(seed);
    data.labels = at::multinomial(at::tensor({0.6, 0.3, 0.1}), 120, true, random);
    data.embeddings = at::randn({120, 5}, random, at::kDouble);
    data.embeddings.slice(1, 0, 3).add_(at::one_hot(data.labels, 3), 1.5);
    data.embeddings.mul_(at::tensor({1.0, 0.2, 3.0, 1.0, 10.0}, at::kDouble)).add_(2);
    erm.weight = at::randn({3, 5}, random, at::kDouble) * 0.3;
    erm.bias = at::randn({3}, random, at::kDouble);
    options.iterations = 2000;
    options.tolerance = 1e-9;
  }
};

/// −Σ w log p + λ/2 ∥(W − W_ERM) deviation∥², with w of a class as exp(−γ p_ERM) and all classes
/// alike: as the header has it, sample by sample.
double objective(const Problem& problem, const Head& head, const AnchoredSetting& setting) {
  const auto &z = problem.data.embeddings, &labels = problem.data.labels;
  const auto log_p = [&](const Head& of) {
    auto outputs = z.mm(of.weight.t());
    if (of.bias.defined()) outputs = outputs + of.bias;
    return outputs.log_softmax(1);
  };
  const at::Tensor of_erm = log_p(problem.erm).exp(), of_head = log_p(head);
  std::vector<double> totals(3, 0), losses(3, 0);
  for (int64_t i = 0; i < labels.size(0); ++i) {
    const auto y = labels[i].item<int64_t>();
    const double weight = std::exp(-setting.gamma * of_erm[i][y].item<double>());
    totals[static_cast<std::size_t>(y)] += weight;
    losses[static_cast<std::size_t>(y)] -= weight * of_head[i][y].item<double>();
  }
  double value = 0;
  for (std::size_t y = 0; y < 3; ++y) value += losses[y] / totals[y] / 3;
  const auto moved = (head.weight - problem.erm.weight) * z.std(0, /*unbiased=*/false);
  return value + setting.penalty / 2 * moved.square().sum().item<double>();
}

/// That a step along any parameter makes the objective larger, and by as much either way.
void expect_minimum(const Problem& problem, const Head& head, const AnchoredSetting& setting) {
  const double least = objective(problem, head, setting), step = 1e-4;
  const auto moved = [&](at::Tensor Head::*of, int64_t place, double by) {
    auto other = head;
    other.*of = (head.*of).clone();
    (other.*of).view({-1})[place] += by;
    return objective(problem, other, setting);
  };
  const auto expect_least = [&](at::Tensor Head::*of) {
    for (int64_t place = 0; place < (head.*of).numel(); ++place) {
      const double up = moved(of, place, step), down = moved(of, place, -step);
      EXPECT_GT(up, least);
      EXPECT_GT(down, least);
      EXPECT_NEAR((up - down) / (2 * step), 0, 1e-6);
    }
  };
  expect_least(&Head::weight);
  if (head.bias.defined()) expect_least(&Head::bias);
}

class AnchoredOnDevice : public OnDevice {};

TEST_P(AnchoredOnDevice, EachHeadIsTheMinimumOfItsObjective) {
  Problem problem;
  problem.options.penalties = {1, 0.05};
  problem.options.gammas = {0, 4};
  const auto heads = anchored_heads(there(problem.data), there(problem.erm), problem.options);
  const auto settings = anchored_settings(problem.options);
  ASSERT_EQ(heads.size(), 4U);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(heads[i].weight.device(), device());
    EXPECT_EQ(heads[i].weight.scalar_type(), at::kDouble);
    expect_minimum(problem, to(heads[i], at::kCPU, at::kDouble), settings[i]);
  }
}

NEURONTUNE_ON_EVERY_DEVICE(AnchoredOnDevice);

TEST(AnchoredRetraining, WithoutABiasTheHeadIsTheMinimumToo) {
  Problem problem;
  problem.erm.bias = at::Tensor();
  problem.options.penalties = {0.5};
  problem.options.gammas = {1};
  const auto heads = anchored_heads(problem.data, problem.erm, problem.options);
  ASSERT_EQ(heads.size(), 1U);
  EXPECT_FALSE(heads[0].bias.defined());
  expect_minimum(problem, heads[0], {0.5, 1});
}

TEST(AnchoredRetraining, SettingsAreEveryPairWithAllPenaltiesBeforeTheNextGamma) {
  AnchoredOptions options;
  options.penalties = {2, 1};
  options.gammas = {0, 3};
  std::vector<std::pair<double, double>> found;
  for (const auto& setting : anchored_settings(options))
    found.emplace_back(setting.penalty, setting.gamma);
  EXPECT_EQ(found, (std::vector<std::pair<double, double>>{{2, 0}, {1, 0}, {2, 3}, {1, 3}}));
}

TEST(AnchoredRetraining, AHugePenaltyLeavesTheWeightsAndFreesTheBias) {
  Problem problem;
  problem.options.penalties = {1e9};
  problem.options.gammas = {0};
  const auto head = anchored_heads(problem.data, problem.erm, problem.options).front();
  EXPECT_TRUE(head.weight.allclose(problem.erm.weight, 0, 1e-7));
  EXPECT_FALSE(head.bias.allclose(problem.erm.bias, 0, 0.01));
}

TEST(AnchoredRetraining, ASmallerPenaltyGoesFurther) {
  Problem problem;
  const auto heads = anchored_heads(problem.data, problem.erm, problem.options);
  double before = 0;
  for (std::size_t i = 0; i < problem.options.penalties.size(); ++i) {  // of γ = 0
    const double distance = (heads[i].weight - problem.erm.weight).square().sum().item<double>();
    EXPECT_GT(distance, before);
    before = distance;
  }
}

TEST(AnchoredRetraining, GammaCorrectsMoreOfTheMistakes) {
  const auto held_out = world_with_shortcut(1);
  AnchoredOptions options;
  options.penalties = {0.1};
  options.gammas = {0, 2, 4};
  const auto heads = anchored_heads(held_out.data(), held_out.erm, options);
  const auto mistaken = predictions(held_out.erm, held_out.embeddings).ne(held_out.labels);
  int64_t before = -1;
  for (const auto& head : heads) {
    const auto corrected = predictions(head, held_out.embeddings)
                               .eq(held_out.labels)
                               .logical_and(mistaken)
                               .sum()
                               .item<int64_t>();
    EXPECT_GT(corrected, before);
    before = corrected;
  }
}

TEST(AnchoredRetraining, AHeadIsThatOfItsSettingAlone) {
  Problem problem;
  const auto settings = anchored_settings(problem.options);
  const auto heads = anchored_heads(problem.data, problem.erm, problem.options);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    auto only = problem.options;
    only.penalties = {settings[i].penalty};
    only.gammas = {settings[i].gamma};
    const auto alone = anchored_heads(problem.data, problem.erm, only).front();
    EXPECT_TRUE(alone.weight.allclose(heads[i].weight, 1e-5, 1e-6));
    EXPECT_TRUE(alone.bias.allclose(heads[i].bias, 1e-5, 1e-6));
  }
}

TEST(AnchoredRetraining, TheCurvatureOfOtherSamplesLeadsToTheSameMinimum) {
  const Problem problem, other(2);
  const auto curvature = std::make_shared<Curvature>(other.data.embeddings);
  const auto own = anchored_heads(problem.data, problem.erm, problem.options);
  const auto lent = anchored_heads(problem.data, problem.erm, problem.options, curvature);
  for (std::size_t i = 0; i < own.size(); ++i)
    EXPECT_TRUE(lent[i].weight.allclose(own[i].weight, 1e-5, 1e-6));
}

/// Each setting's worst-class accuracy on folds that it was not fitted to.
std::vector<double> out_of_fold(const LabelledEmbeddings& data, const Head& erm,
                                const AnchoredOptions& options) {
  const auto fold_of = stratified_folds(data.labels, erm.classes(), options.folds, options.seed);
  const auto settings = anchored_settings(options);
  std::vector<double> worst;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    auto predicted = at::empty_like(data.labels);
    for (int64_t fold = 0; fold < options.folds; ++fold) {
      const auto head = anchored_heads(those(data, fold_of.ne(fold)), erm, options).at(i);
      predicted = at::where(fold_of.eq(fold), predictions(head, data.embeddings), predicted);
    }
    worst.push_back(accuracy_metrics(predicted, data.labels, erm.classes()).worst_class_accuracy);
  }
  return worst;
}

TEST(Anchored, ChoosesTheBestWorstClassOutOfFold) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    Problem problem(seed);
    problem.options.tolerance = 1e-4;
    problem.options.folds = 3;
    problem.options.seed = seed;
    const auto worst = out_of_fold(problem.data, problem.erm, problem.options);
    std::size_t best = 0;
    for (std::size_t i = 0; i < worst.size(); ++i)
      if (worst[i] > worst[best]) best = i;
    const auto expected = anchored_settings(problem.options)[best];
    const auto result = anchored(problem.data, problem.erm, problem.options);
    EXPECT_EQ(result.setting.penalty, expected.penalty);
    EXPECT_EQ(result.setting.gamma, expected.gamma);
    EXPECT_DOUBLE_EQ(result.worst_class_accuracy, worst[best]);
    auto only = problem.options;
    only.penalties = {expected.penalty};
    only.gammas = {expected.gamma};
    EXPECT_TRUE(
        result.head.weight.equal(anchored_heads(problem.data, problem.erm, only).front().weight));
  }
}

TEST(Anchored, OfEqualsTheFirstIsChosen) {
  Problem problem;
  problem.options.penalties = {1e6, 2e6};
  problem.options.gammas = {0};
  EXPECT_EQ(anchored(problem.data, problem.erm, problem.options).setting.penalty, 1e6);
}

TEST(AnchoredRetraining, BitsDoNotDependOnTheNumberOfThreads) {
  const auto held_out = world_with_shortcut(1);
  AnchoredOptions options;
  options.penalties = {0.1};
  const auto on = [&](int threads) {
    return with_threads(
        threads, [&] { return anchored(held_out.data(), held_out.erm, options).head.weight; });
  };
  EXPECT_TRUE(on(2).equal(on(1)));
}

TEST(AnchoredRetraining, RefusesOptionsOutOfRange) {
  const auto refused = [](auto change, const char* message) {
    Problem problem;
    change(problem.options);
    EXPECT_ERROR_OF(OptionError, anchored_heads(problem.data, problem.erm, problem.options),
                    message);
    EXPECT_ERROR_OF(OptionError, anchored(problem.data, problem.erm, problem.options), message);
  };
  refused([](auto& options) { options.penalties = {}; }, "penalties");
  refused([](auto& options) { options.penalties = {1, 0}; }, "penalties");
  refused([](auto& options) { options.gammas = {}; }, "gammas");
  refused([](auto& options) { options.gammas = {-1}; }, "gammas");
  refused([](auto& options) { options.gammas = {NAN}; }, "gammas");
  refused([](auto& options) { options.iterations = 0; }, "iterations is 0");
  refused([](auto& options) { options.tolerance = 0; }, "tolerance is 0");
  refused([](auto& options) { options.folds = 1; }, "folds is 1");
}

TEST(AnchoredRetraining, RefusesDataThatItCannotUse) {
  const auto refused = [](auto change, const char* message) {
    Problem problem;
    change(problem);
    EXPECT_ERROR(anchored_heads(problem.data, problem.erm, problem.options), message);
  };
  refused([](Problem& of) { of.data.labels.zero_(); }, "the split");
  refused([](Problem& of) { of.data.labels[2] = 3; }, "the split");
  refused([](Problem& of) { of.data.embeddings[4][1] = INFINITY; }, "row 4, dimension 1 is inf");
  refused([](Problem& of) { of.data.embeddings = at::ones({120, 2}, at::kDouble); }, "the split");
  refused([](Problem& of) { of.erm.later_layers = std::make_shared<LaterLayers>(); },
          "anchored retraining");
  Problem problem;
  problem.options.folds = 100;
  EXPECT_ERROR(anchored(problem.data, problem.erm, problem.options),
               "a class has fewer samples than there are folds (100)");
}

}  // namespace
}  // namespace neurontune
