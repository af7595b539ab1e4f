#include "neurontune/baselines/dfr.h"

#include <cmath>
#include <cstdlib>
#include <vector>

#include "baselines/biased_world.h"
#include "error_matchers.h"
#include "thread_count.h"

namespace neurontune {
namespace {

DfrOptions quick() {
  DfrOptions options;
  options.refits = 3;
  return options;
}

DfrResult run(const BiasedWorld& world, const DfrOptions& options = quick()) {
  return dfr(world.learning, world.held_out, 2, 2, options);
}

TEST(Dfr, RaisesWorstGroupAccuracy) {
  const BiasedWorld world;
  const double tuned = world.worst_group_accuracy(run(world).head);
  EXPECT_GT(tuned, world.erm_worst_group_accuracy() + 0.3);
  EXPECT_GT(tuned, 0.9);
}

TEST(Dfr, ATwoClassHeadIsOneRegressionBelowZeros) {
  const auto head = run(BiasedWorld()).head;
  EXPECT_TRUE(head.weight[0].eq(0).all().item<bool>());
  EXPECT_EQ(head.bias[0].item<float>(), 0);
  EXPECT_FALSE(head.single_logit);
}

TEST(Dfr, AStrongPenaltyLeavesNoiseAtZero) {
  auto options = quick();
  options.inverse_penalties = {0.02};
  const auto weight = run(BiasedWorld(), options).head.weight[1];
  EXPECT_GT(weight[0].item<float>(), 0.1);
  EXPECT_TRUE(weight.slice(0, 2).eq(0).all().item<bool>()) << weight;
}

TEST(Dfr, AGroupThatIsAbsentIsLeftOut) {
  BiasedWorld world;
  const auto kept =
      world.learning.data.labels.eq(0).logical_or(world.learning.attributes.eq(1)).nonzero();
  const auto rows = kept.squeeze(1);  // group (1, 0) goes
  world.learning = {{world.learning.data.embeddings.index_select(0, rows),
                     world.learning.data.labels.index_select(0, rows)},
                    world.learning.attributes.index_select(0, rows)};
  const auto two = run(world);
  // More attribute values, of which there is no sample, change nothing.
  EXPECT_TRUE(same_bits(two.head, dfr(world.learning, world.held_out, 2, 5, quick()).head));
}

TEST(Dfr, ConstantAndShiftedColumnsAreStandardised) {
  BiasedWorld world;
  const auto plain = run(world);
  auto changed = world;
  const auto move = [](GroupedEmbeddings& split) {
    auto& z = split.data.embeddings;
    z = at::cat({z * 4 + 8, at::full({z.size(0), 1}, 5.0)}, 1);
  };
  move(changed.learning);
  move(changed.held_out);
  move(changed.test);
  const auto moved = run(changed);
  EXPECT_EQ(moved.inverse_penalty, plain.inverse_penalty);
  // The solver stops at another point, as near to the minimum.
  EXPECT_TRUE((moved.head.weight.narrow(1, 0, 8) * 4).allclose(plain.head.weight, 1e-2, 1e-2));
  EXPECT_EQ(moved.head.weight[1][8].item<float>(), 0);
  EXPECT_NEAR(changed.worst_group_accuracy(moved.head), world.worst_group_accuracy(plain.head),
              0.01);
}

TEST(Dfr, BitsDependOnTheSeedAndNotOnTheNumberOfThreads) {
  const BiasedWorld world;
  auto options = quick();
  const auto one = with_threads(1, [&] { return run(world, options); });
  EXPECT_TRUE(same_bits(one.head, with_threads(2, [&] { return run(world, options); }).head));
  std::srand(99);  // the solver's random numbers are not the host program's
  EXPECT_TRUE(same_bits(one.head, run(world, options).head));
  options.seed = 1;
  EXPECT_FALSE(same_bits(one.head, run(world, options).head));
}

TEST(Dfr, TheHostProgramsRandGoesOnUndisturbed) {
  const auto draw = [](const auto& between) {
    std::srand(5);
    std::vector<int> drawn;
    for (int i = 0; i < 40; ++i) {
      drawn.push_back(std::rand());
      if (i == 20) between();
    }
    return drawn;
  };
  const BiasedWorld world;
  EXPECT_EQ(draw([&] { run(world); }), draw([] {}));
}

TEST(Dfr, OfEqualPenaltiesTheFirstIsChosen) {
  auto options = quick();
  options.inverse_penalties = {1e-9, 1e-10};  // both heads are 0
  const auto result = run(BiasedWorld(), options);
  EXPECT_EQ(result.inverse_penalty, 1e-9);
  EXPECT_EQ(result.held_out_worst_group_accuracy, 0);
  EXPECT_TRUE(result.head.weight.eq(0).all().item<bool>());
}

TEST(Dfr, TakesHalfPrecision) {
  const BiasedWorld world;
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const auto in = [&](at::ScalarType type, const GroupedEmbeddings& split) {
      return GroupedEmbeddings{as(type, as(dtype, split.data)), split.attributes};
    };
    const auto result = dfr(in(dtype, world.learning), in(dtype, world.held_out), 2, 2, quick());
    const auto exact =
        dfr(in(at::kFloat, world.learning), in(at::kFloat, world.held_out), 2, 2, quick());
    EXPECT_EQ(result.head.weight.scalar_type(), at::kFloat);
    EXPECT_TRUE(same_bits(result.head, exact.head));
  }
}

TEST(Dfr, NamesWhatIsWrong) {
  const auto expect = [](void (*change)(BiasedWorld&), const char* text) {
    BiasedWorld world;
    change(world);
    EXPECT_ERROR(run(world), text);
  };
  expect([](BiasedWorld& w) { w.learning.attributes[3] = 2; },
         "the tuning split: attributes hold 2 in row 3, expected 0 to 1");
  expect([](BiasedWorld& w) { w.held_out.attributes = at::Tensor(); },
         "the held-out split has no attributes; deep feature reweighting needs the groups");
  expect([](BiasedWorld& w) { w.learning.data.labels.zero_(); },
         "the tuning split has no sample of class 1 (of 2 classes)");
  expect(
      [](BiasedWorld& w) {
        w.held_out.data.embeddings = at::zeros({800, 3});
      },
      "the held-out split: embeddings are float32 [800, 3], those of the tuning split float32 "
      "[800, 8]");
  expect([](BiasedWorld& w) { w.held_out.data.embeddings[0][1] = INFINITY; },
         "the held-out split: the embedding in row 0, dimension 1 is inf");
  const BiasedWorld world;
  EXPECT_ERROR(dfr(world.learning, world.held_out, 1, 2), "classes is 1, expected at least 2");
}

TEST(Dfr, RefitsOnOtherDataTakeItsSubsetsAndTheChosenPenalty) {
  const BiasedWorld world;
  const auto result = dfr(world.learning, world.held_out, world.test, 2, 2, quick());
  const auto chosen = run(world);
  EXPECT_EQ(result.inverse_penalty, chosen.inverse_penalty);
  EXPECT_EQ(result.held_out_worst_group_accuracy, chosen.held_out_worst_group_accuracy);

  // The same penalty on the same data in one step: what differs is the subset that C was chosen on.
  auto fixed = quick();
  fixed.inverse_penalties = {chosen.inverse_penalty};
  const auto direct = dfr(world.test, world.held_out, 2, 2, fixed).head;
  EXPECT_TRUE(result.head.weight.allclose(direct.weight, 0.2, 0.05)) << result.head.weight;
  EXPECT_FALSE(same_bits(result.head, chosen.head));
}

TEST(Dfr, RefitsOnDataThatDoesNotFitAreRefused) {
  const BiasedWorld world;
  auto other = world.test;
  other.data.embeddings = at::zeros({other.data.embeddings.size(0), 3});
  EXPECT_ERROR(dfr(world.learning, world.held_out, other, 2, 2), "the refitting split: embeddings");
}

TEST(Dfr, OptionsOutOfRangeAreNamed) {
  const auto expect = [](void (*change)(DfrOptions&), const char* text) {
    DfrOptions options;
    change(options);
    EXPECT_ERROR_OF(OptionError, options.validate(), text);
  };
  EXPECT_NO_THROW(DfrOptions{}.validate());
  expect([](DfrOptions& o) { o.inverse_penalties = {}; }, "inverse_penalties is empty");
  expect(
      [](DfrOptions& o) {
        o.inverse_penalties = {1, 0};
      },
      "a value of inverse_penalties is 0, expected a number over 0");
  expect([](DfrOptions& o) { o.refits = 0; }, "refits is 0, expected at least 1");
}

}  // namespace
}  // namespace neurontune
