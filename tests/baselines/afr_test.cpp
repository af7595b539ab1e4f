#include "neurontune/baselines/afr.h"

#include <cmath>

#include "baselines/biased_world.h"
#include "error_matchers.h"
#include "thread_count.h"

namespace neurontune {
namespace {

AfrResult run(const BiasedWorld& world, const AfrOptions& options = {}) {
  return afr(world.learning.data, world.held_out.data, world.erm, options);
}

AfrOptions single(double gamma, double penalty) {
  AfrOptions options;
  options.gammas = {gamma};
  options.penalties = {penalty};
  return options;
}

double distance(const Head& one, const Head& other) {
  return (one.weight - other.weight).norm().item<double>();
}

TEST(Afr, RaisesWorstGroupAccuracy) {
  const BiasedWorld world;
  AfrOptions options;
  options.steps = 100;
  options.learning_rate = 0.1;
  EXPECT_GT(world.worst_group_accuracy(run(world, options).head),
            world.erm_worst_group_accuracy() + 0.1);
}

TEST(Afr, AHigherPenaltyStaysNearerToTheErmHead) {
  const BiasedWorld world;
  const auto free = run(world, single(10, 0)), bound = run(world, single(10, 1));
  EXPECT_GT(distance(free.head, world.erm), 2 * distance(bound.head, world.erm));
}

TEST(Afr, ASingleStepIsNoLongerThanTheRateTimesTheNorm) {
  BiasedWorld world;
  world.learning.data.embeddings.mul_(100);
  auto options = single(4, 0);
  options.steps = 1;
  options.learning_rate = 0.5;
  options.gradient_norm = 0.1;
  const auto head = run(world, options).head;
  const double step =
      std::hypot(distance(head, world.erm), (head.bias - world.erm.bias).norm().item<double>());
  EXPECT_NEAR(step, 0.05, 1e-5);
}

TEST(Afr, SettingsSideBySideAreWhatTheyAreAlone) {
  const BiasedWorld world;
  AfrOptions options;
  options.steps = 10;
  options.learning_rate = 0.1;
  const auto best = run(world, options);
  double highest = 0;
  for (const double gamma : options.gammas)
    for (const double penalty : options.penalties) {
      auto alone = single(gamma, penalty);
      alone.steps = options.steps;
      alone.learning_rate = options.learning_rate;
      const auto result = run(world, alone);
      highest = std::max(highest, result.held_out_worst_class_accuracy);
      if (gamma == best.gamma && penalty == best.penalty) {
        EXPECT_TRUE(result.head.weight.allclose(best.head.weight, 1e-4, 1e-5));
      }
    }
  EXPECT_NEAR(best.held_out_worst_class_accuracy, highest, 2.0 / 400);
}

TEST(Afr, ManyClassesAreTrainedInSeveralStacks) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(4);
  const LabelledEmbeddings data{at::randn({600, 5}, generator, at::kDouble),
                                at::arange(600).remainder(300)};
  const Head erm{at::randn({300, 5}, generator, at::kDouble), at::Tensor()};
  AfrOptions options;
  options.gammas = {4};
  options.penalties = {0, 5, 5, 5, 0.5};  // each is a stack of its own
  options.steps = 3;
  options.learning_rate = 1;
  const auto chosen = afr(data, data, erm, options);
  options.penalties = {chosen.penalty};
  const auto alone = afr(data, data, erm, options);
  EXPECT_TRUE(chosen.head.weight.allclose(alone.head.weight, 1e-9, 1e-9));
}

TEST(Afr, OfEqualSettingsTheFirstIsChosen) {
  const BiasedWorld world;
  AfrOptions options;
  options.gammas = {3, 2, 1};
  options.penalties = {0.3, 0.2};
  options.steps = 1;
  options.learning_rate = 1e-12;  // no prediction changes
  const auto result = run(world, options);
  EXPECT_EQ(result.gamma, 3);
  EXPECT_EQ(result.penalty, 0.3);
}

TEST(Afr, BitsDoNotDependOnTheNumberOfThreads) {
  const BiasedWorld world;
  AfrOptions options;
  options.steps = 5;
  const auto one = with_threads(1, [&] { return run(world, options); });
  const auto two = with_threads(2, [&] { return run(world, options); });
  EXPECT_TRUE(same_bits(one.head, two.head));
}

TEST(Afr, TakesHalfPrecision) {
  const BiasedWorld world;
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const auto learning = as(dtype, world.learning.data), held_out = as(dtype, world.held_out.data);
    const auto result = afr(learning, held_out, world.erm, single(4, 0));
    const auto exact =
        afr(as(at::kFloat, learning), as(at::kFloat, held_out), world.erm, single(4, 0));
    EXPECT_EQ(result.head.weight.scalar_type(), at::kFloat);
    EXPECT_TRUE(same_bits(result.head, exact.head));
  }
}

TEST(Afr, AOneLogitHeadStaysMarkedSo) {
  BiasedWorld world;
  world.erm = two_classes({world.erm.weight.narrow(0, 1, 1), world.erm.bias.narrow(0, 1, 1)});
  EXPECT_TRUE(run(world, single(4, 0)).head.single_logit);
}

TEST(Afr, NamesWhatIsWrong) {
  BiasedWorld world;
  world.held_out.data.embeddings = at::zeros({800, 3});
  EXPECT_ERROR(run(world), "the held-out split: embeddings are float32 [800, 3], the head expects");
  world.erm = of_several_layers(world.erm);
  EXPECT_ERROR(run(world), "automatic feature reweighting needs a linear head");
}

TEST(Afr, OptionsOutOfRangeAreNamed) {
  const auto expect = [](void (*change)(AfrOptions&), const char* text) {
    AfrOptions options;
    change(options);
    EXPECT_ERROR_OF(OptionError, options.validate(), text);
  };
  EXPECT_NO_THROW(AfrOptions{}.validate());
  expect([](AfrOptions& o) { o.gammas = {}; }, "gammas is empty, expected at least one value");
  expect([](AfrOptions& o) { o.gammas = {1, -2}; }, "a value of gammas is -2, expected 0 or more");
  expect([](AfrOptions& o) { o.penalties = {}; }, "penalties is empty, expected at least one");
  expect([](AfrOptions& o) { o.penalties = {INFINITY}; },
         "a value of penalties is inf, expected 0 or more");
  expect([](AfrOptions& o) { o.steps = 0; }, "steps is 0, expected at least 1");
  expect([](AfrOptions& o) { o.learning_rate = 0; }, "learning_rate is 0, expected a number");
  expect([](AfrOptions& o) { o.gradient_norm = 0; }, "gradient_norm is 0, expected a number");
}

}  // namespace
}  // namespace neurontune
