#include "neurontune/baselines/shortcut_probe.h"

#include <cmath>
#include <string>
#include <vector>

#include "baselines/biased_world.h"
#include "baselines/probe_set.h"
#include "error_matchers.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

ShortcutProbeOptions short_run() {
  ShortcutProbeOptions options;
  options.detection_epochs = 3;
  options.mitigation_epochs = 3;
  return options;
}

ShortcutProbeResult run(const BiasedWorld& world,
                        const ShortcutProbeOptions& options = short_run()) {
  return shortcut_probe(world.learning.data, world.held_out.data, world.erm, options);
}

TEST(ShortcutProbe, ProbeSetHasTheSurestOfEachHalfOfAClass) {
  // Two classes; logits (−s, s)/2 of class 1's sample lose log(1 + exp(−s)), and s near 0 is the
  // least sure.
  const auto s = at::tensor({4.0, 0.1, -0.2, -3.0, 1.0, -1.0, 2.0, 0.5, -0.4, 0.0});
  const auto logits = at::stack({-s / 2, s / 2}, 1);
  const auto labels = longs({1, 1, 1, 1, 1, 1, 0, 0, 0, 0});
  const auto set = probe_set(logits, labels, 0.34);
  // Class 1 by loss: rows 0 4 1 | 2 5 3. Class 0: 8 9 | 7 6, one of each.
  EXPECT_TRUE(set.cor.rows.equal(longs({8, 0, 4}))) << set.cor.rows;
  EXPECT_TRUE(set.mis.rows.equal(longs({6, 3, 5}))) << set.mis.rows;
  EXPECT_TRUE(set.cor.count.equal(longs({1, 2})));
  const auto picked = set.cor.pick(longs({1, 0, 1}), at::tensor({0.49, 0.999, 0.5}, at::kDouble));
  EXPECT_TRUE(picked.equal(longs({0, 8, 4})));
}

TEST(ShortcutProbe, RaisesWorstGroupAccuracy) {
  const BiasedWorld world;
  auto options = short_run();
  options.mitigation_epochs = 10;
  EXPECT_GT(world.worst_group_accuracy(run(world, options).head),
            world.erm_worst_group_accuracy() + 0.1);
}

TEST(ShortcutProbe, ThePromptsPredictWhatTheHeadTakesSamplesFor) {
  const BiasedWorld world;
  auto options = short_run();
  options.prompts = 1;
  options.similarity_weight = 0;
  const auto& z = world.held_out.data.embeddings;
  const auto agreement = [&](double learning_rate) {
    options.detection_learning_rate = learning_rate;
    const auto prompts = run(world, options).prompts;
    const auto parts = z.mm(prompts.t()).mm(prompts);  // a positive multiple of the shortcut parts
    return predictions(world.erm, parts)
        .eq(predictions(world.erm, z))
        .to(at::kDouble)
        .mean()
        .item<double>();
  };
  EXPECT_GT(agreement(0.1), agreement(1e-12) + 0.1);
  EXPECT_GT(agreement(0.1), 0.9);
}

TEST(ShortcutProbe, TheSelectedEpochIsReproducedByAShorterRun) {
  const BiasedWorld world;
  auto options = short_run();
  options.mitigation_epochs = 6;
  const auto result = run(world, options);
  ASSERT_GE(result.selected_epoch, 1);
  options.mitigation_epochs = result.selected_epoch;
  const auto shorter = run(world, options);
  EXPECT_EQ(shorter.selected_epoch, result.selected_epoch);
  EXPECT_TRUE(same_bits(shorter.head, result.head));
}

TEST(ShortcutProbe, OfEqualEpochsTheFirstIsChosenAndTheErmHeadIsNone) {
  const BiasedWorld world;
  auto options = short_run();
  options.mitigation_learning_rate = 1e-12;
  EXPECT_EQ(run(world, options).selected_epoch, 1);
}

TEST(ShortcutProbe, BitsDependOnTheSeedAndNotOnTheNumberOfThreads) {
  const BiasedWorld world;
  auto options = short_run();
  const auto one = with_threads(1, [&] { return run(world, options); });
  const auto two = with_threads(2, [&] { return run(world, options); });
  EXPECT_TRUE(same_bits(one.head, two.head));
  EXPECT_TRUE(one.prompts.equal(two.prompts));
  options.seed = 1;
  EXPECT_FALSE(one.prompts.equal(run(world, options).prompts));
}

TEST(ShortcutProbe, TakesHalfPrecisionAndInputsThatTrackGradients) {
  BiasedWorld world;
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    auto learning = as(dtype, world.learning.data);
    const auto held_out = as(dtype, world.held_out.data);
    const auto exact =
        shortcut_probe(as(at::kFloat, learning), as(at::kFloat, held_out), world.erm, short_run());
    learning.embeddings.requires_grad_();
    const auto result = shortcut_probe(learning, held_out, world.erm, short_run());
    EXPECT_EQ(result.head.weight.scalar_type(), at::kFloat);
    EXPECT_FALSE(result.head.weight.requires_grad());
    EXPECT_TRUE(same_bits(result.head, exact.head));
  }
}

TEST(ShortcutProbe, AOneLogitHeadStaysMarkedSo) {
  BiasedWorld world;
  world.erm = two_classes({world.erm.weight.narrow(0, 1, 1), world.erm.bias.narrow(0, 1, 1)});
  EXPECT_TRUE(run(world).head.single_logit);
}

TEST(ShortcutProbe, ReportsEachEpochOfBothPhases) {
  const BiasedWorld world;
  std::vector<std::string> seen;
  shortcut_probe(world.learning.data, world.held_out.data, world.erm, short_run(),
                 [&](std::string_view stage, int64_t done, int64_t total) {
                   EXPECT_EQ(total, 3);
                   seen.push_back(std::string(stage) + " " + std::to_string(done));
                 });
  EXPECT_EQ(seen, (std::vector<std::string>{"detect 1", "detect 2", "detect 3", "tune 1", "tune 2",
                                            "tune 3"}));
}

TEST(ShortcutProbe, NamesWhatIsWrong) {
  BiasedWorld world;
  auto options = short_run();
  options.prompts = 9;
  EXPECT_ERROR_OF(OptionError, run(world, options),
                  "prompts is 9, expected at most the embedding's 8 dimensions");
  BiasedWorld few, flat;
  few.learning.data.labels.zero_().slice(0, 0, 3).fill_(1);
  EXPECT_ERROR(run(few),
               "the probe split has 3 samples of class 1, of which probe_share 0.3 keeps none");
  flat.learning.data.embeddings.zero_();
  EXPECT_ERROR(run(flat), "vary in fewer dimensions than there are prompts, 2");
  world.erm = of_several_layers(world.erm);
  EXPECT_ERROR(run(world), "ShortcutProbe needs a linear head");
}

TEST(ShortcutProbe, OptionsOutOfRangeAreNamed) {
  using Options = ShortcutProbeOptions;
  const auto expect = [](void (*change)(Options&), const char* text) {
    Options options;
    change(options);
    EXPECT_ERROR_OF(OptionError, options.validate(), text);
  };
  EXPECT_NO_THROW(Options{}.validate());
  expect([](Options& o) { o.prompts = 0; }, "prompts is 0, expected at least 1");
  expect([](Options& o) { o.probe_share = 0; }, "probe_share is 0, expected a number over 0");
  expect([](Options& o) { o.probe_share = 0.6; }, "probe_share is 0.6, expected");
  expect([](Options& o) { o.similarity_weight = -1; }, "similarity_weight is -1, expected 0 or");
  expect([](Options& o) { o.shortcut_weight = 0; }, "shortcut_weight is 0, expected a number");
  expect([](Options& o) { o.detection_epochs = 0; }, "detection_epochs is 0, expected at least 1");
  expect([](Options& o) { o.mitigation_epochs = 0; }, "mitigation_epochs is 0, expected at least");
  expect([](Options& o) { o.batch_size = 1; }, "batch_size is 1, expected at least 2");
  expect([](Options& o) { o.detection_learning_rate = 0; }, "detection_learning_rate is 0");
  expect([](Options& o) { o.mitigation_learning_rate = NAN; }, "mitigation_learning_rate is nan");
  expect([](Options& o) { o.momentum = 1; }, "momentum is 1, expected 0 up to but not 1");
  expect([](Options& o) { o.weight_decay = -0.5; }, "weight_decay is -0.5, expected 0 or more");
}

}  // namespace
}  // namespace neurontune
