#include "neurontune/method/single_steps.h"

#include <ATen/ATen.h>

#include "error_matchers.h"
#include "neurontune/method/neuron_tune.h"
#include "worlds.h"

namespace neurontune {
namespace {

class SingleStepsTest : public ::testing::Test {
 protected:
  SingleStepsTest() {
    options.tune.epochs = 4;
    options.tune.batches_per_epoch = 20;
    options.seed = 3;
  }

  World world = world_with_shortcut(1, 600);
  NeuronTuneOptions options;
};

TEST_F(SingleStepsTest, TogetherTheyAreTheWholeMethod) {
  for (const auto start : {Start::erm, Start::fresh}) {
    options.tune.start = start;
    const auto whole = neuron_tune(world.data(), world.data(), world.erm, options);
    const auto mask = identify(world.data(), world.erm, options.identify).biased.mask;
    const auto epochs = retrain(world.data(), world.erm, mask, options.tune, options.seed);
    ASSERT_EQ(epochs.size(), whole.trajectory.size());
    std::vector<Head> heads;
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      EXPECT_EQ(epochs[i].loss, whole.trajectory[i].loss);
      EXPECT_TRUE(epochs[i].head.weight.equal(whole.trajectory[i].head.weight)) << i;
      heads.push_back(epochs[i].head);
    }
    const auto figures = checkpoint_figures(world.data(), heads);
    for (std::size_t i = 0; i < figures.size(); ++i) {
      EXPECT_EQ(figures[i].sfit, whole.trajectory[i].sfit);
      EXPECT_EQ(figures[i].balanced_accuracy, whole.trajectory[i].accuracy.balanced_accuracy);
    }
    EXPECT_EQ(ranked_candidates(figures, options.select).front() + 1,
              static_cast<std::size_t>(whole.selected_epoch));
  }
}

TEST_F(SingleStepsTest, WithoutAMaskEveryDimensionIsRetrained) {
  const auto epochs = retrain(world.data(), world.erm, {}, options.tune);
  EXPECT_TRUE(epochs.back().head.weight.ne(0).all().item<bool>());
}

TEST_F(SingleStepsTest, WhatDoesNotFitIsRefused) {
  EXPECT_ERROR(retrain(world.data(), world.erm, at::ones({3}), options.tune), "the mask is");
  options.tune.learning_rate = 1e38;
  EXPECT_ERROR(retrain(world.data(), world.erm, {}, options.tune), "became infinite in epoch 1");
  EXPECT_ERROR(checkpoint_figures(world.data(), {world.erm, {at::zeros({3, 40}), {}}}),
               "a head has 3 classes, the first one 2");
  EXPECT_TRUE(checkpoint_figures(world.data(), {}).empty());
}

}  // namespace
}  // namespace neurontune
