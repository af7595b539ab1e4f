#include "neurontune/baselines/last_layer_retraining.h"

#include <vector>

#include "baselines/biased_world.h"
#include "error_matchers.h"
#include "neurontune/method/neuron_tune.h"
#include "thread_count.h"

namespace neurontune {
namespace {

RetrainingOptions short_run() {
  RetrainingOptions options;
  options.epochs = 3;
  options.batches_per_epoch = 10;
  return options;
}

TEST(LastLayerRetraining, IsNeuronTunesLastEpochWhereNothingIsMasked) {
  const BiasedWorld world;
  NeuronTuneOptions options;
  options.tune = short_run();
  options.identify.threshold = 1e6;
  options.seed = 7;
  const auto expected =
      neuron_tune(world.held_out.data, world.learning.data, world.erm, options).trajectory.back();
  ASSERT_EQ(expected.biased.count(), 0);
  EXPECT_TRUE(same_bits(retrain_last_layer(world.learning.data, world.erm, options.tune, 7),
                        expected.head));
}

TEST(LastLayerRetraining, FromAFreshHeadTheErmHeadDoesNotMatter) {
  const BiasedWorld world;
  auto options = short_run();
  options.start = Start::fresh;
  const auto head = retrain_last_layer(world.learning.data, world.erm, options, 0);
  auto other = world.erm;
  other.weight = at::ones({2, 8});
  EXPECT_TRUE(same_bits(head, retrain_last_layer(world.learning.data, other, options, 0)));
  options.start = Start::erm;
  EXPECT_FALSE(same_bits(head, retrain_last_layer(world.learning.data, world.erm, options, 0)));
}

TEST(LastLayerRetraining, RefreshIsIgnored) {
  const BiasedWorld world;
  auto options = short_run();
  const auto head = retrain_last_layer(world.learning.data, world.erm, options, 0);
  options.refresh = 1;
  EXPECT_TRUE(same_bits(head, retrain_last_layer(world.learning.data, world.erm, options, 0)));
}

TEST(LastLayerRetraining, BitsDependOnTheSeedAndNotOnTheNumberOfThreads) {
  const BiasedWorld world;
  auto options = short_run();
  options.epochs = 1;
  const auto run = [&](uint64_t seed) {
    return retrain_last_layer(world.learning.data, world.erm, options, seed);
  };
  const auto one = with_threads(1, [&] { return run(0); });
  EXPECT_TRUE(same_bits(one, with_threads(2, [&] { return run(0); })));
  EXPECT_FALSE(same_bits(one, run(1)));
}

TEST(LastLayerRetraining, TakesHeadsOfSeveralLayers) {
  const BiasedWorld world;
  const auto head =
      retrain_last_layer(world.learning.data, of_several_layers(world.erm), short_run(), 0);
  EXPECT_FALSE(head.is_linear());
  const auto linear = retrain_last_layer(world.learning.data, world.erm, short_run(), 0);
  EXPECT_TRUE(head.weight.allclose(linear.weight, 1e-5, 1e-6));
}

TEST(LastLayerRetraining, AOneLogitHeadStaysMarkedSo) {
  const BiasedWorld world;
  auto erm = two_classes({world.erm.weight.narrow(0, 1, 1), world.erm.bias.narrow(0, 1, 1)});
  EXPECT_TRUE(retrain_last_layer(world.learning.data, erm, short_run(), 0).single_logit);
}

TEST(LastLayerRetraining, ReportsEachEpoch) {
  const BiasedWorld world;
  std::vector<int64_t> epochs;
  retrain_last_layer(world.learning.data, world.erm, short_run(), 0,
                     [&](std::string_view stage, int64_t done, int64_t total) {
                       EXPECT_EQ(stage, "tune");
                       EXPECT_EQ(total, 3);
                       epochs.push_back(done);
                     });
  EXPECT_EQ(epochs, (std::vector<int64_t>{1, 2, 3}));
}

TEST(LastLayerRetraining, NamesWhatIsWrong) {
  BiasedWorld world;
  auto options = short_run();
  options.epochs = 0;
  EXPECT_ERROR_OF(OptionError, retrain_last_layer(world.learning.data, world.erm, options, 0),
                  "epochs is 0, expected 1 to 100000");
  world.learning.data.embeddings[3][4] = NAN;
  EXPECT_ERROR(retrain_last_layer(world.learning.data, world.erm, short_run(), 0),
               "the tuning split: the embedding in row 3, dimension 4 is nan");
  world.learning = biased_split(50, 0.9, 1);
  world.learning.data.labels.zero_();
  EXPECT_ERROR(retrain_last_layer(world.learning.data, world.erm, short_run(), 0),
               "the tuning split has no sample of class 1");
}

}  // namespace
}  // namespace neurontune
