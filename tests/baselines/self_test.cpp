#include "neurontune/baselines/self.h"

#include <cmath>

#include "baselines/biased_world.h"
#include "error_matchers.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

SelfResult run(const BiasedWorld& world, const SelfOptions& options = {}) {
  return self(world.learning.data, world.held_out.data, world.erm, options);
}

/// Samples on which a head of one dimension is right (value over 0 for class 1) or wrong.
struct Counted {
  LabelledEmbeddings data;
  Head erm{matrix({{-1}, {1}}), at::Tensor()};

  Counted(std::vector<int64_t> right, std::vector<int64_t> wrong) {
    std::vector<float> values;
    std::vector<int64_t> labels;
    for (std::size_t label = 0; label < 2; ++label)
      for (int64_t i = 0; i < right[label] + wrong[label]; ++i) {
        const bool positive = (label == 1) == (i < right[label]);
        values.push_back(positive ? 1.0F : -1.0F);
        labels.push_back(static_cast<int64_t>(label));
      }
    data = {at::tensor(values).unsqueeze(1), longs(labels)};
  }
  int64_t samples() const { return self(data, data, erm).samples; }
};

TEST(Self, TakesEveryMistakeAndAsManyCorrectSamplesOfItsClass) {
  EXPECT_EQ(Counted({50, 50}, {4, 7}).samples(), 2 * 4 + 2 * 7);
}

TEST(Self, TakesAllCorrectSamplesWhereThereAreFewerThanMistakes) {
  EXPECT_EQ(Counted({50, 3}, {4, 7}).samples(), 2 * 4 + 7 + 3);
  EXPECT_EQ(Counted({50, 0}, {4, 7}).samples(), 2 * 4 + 7);
}

TEST(Self, AClassWithoutAMistakeGivesAsManySamplesAsTheOthersErr) {
  EXPECT_EQ(Counted({50, 50}, {0, 7}).samples(), 7 + 2 * 7);
  EXPECT_EQ(Counted({2, 50}, {0, 7}).samples(), 2 + 2 * 7);
}

TEST(Self, RaisesWorstGroupAccuracy) {
  const BiasedWorld world;
  EXPECT_GT(world.worst_group_accuracy(run(world).head), world.erm_worst_group_accuracy() + 0.2);
}

TEST(Self, ChoosesTheLearningRateOfTheBestWorstClassAccuracy) {
  const BiasedWorld world;
  SelfOptions options;
  const auto best = run(world, options);
  double highest = 0;
  for (const double rate : options.learning_rates) {
    SelfOptions single;
    single.learning_rates = {rate};
    const auto result = run(world, single);
    highest = std::max(highest, result.held_out_worst_class_accuracy);
    if (rate == best.learning_rate) {
      EXPECT_TRUE(same_bits(result.head, best.head));
      EXPECT_EQ(result.held_out_worst_class_accuracy, best.held_out_worst_class_accuracy);
    }
  }
  EXPECT_EQ(best.held_out_worst_class_accuracy, highest);
}

TEST(Self, OfEqualLearningRatesTheFirstIsChosen) {
  const BiasedWorld world;
  SelfOptions options;
  options.learning_rates = {1e-12, 1e-13};  // neither changes a prediction
  EXPECT_EQ(run(world, options).learning_rate, 1e-12);
}

TEST(Self, BitsDependOnTheSeedAndNotOnTheNumberOfThreads) {
  const BiasedWorld world;
  SelfOptions options;
  options.learning_rates = {1e-2};
  options.steps = 10;
  const auto one = with_threads(1, [&] { return run(world, options); });
  const auto two = with_threads(2, [&] { return run(world, options); });
  EXPECT_TRUE(same_bits(one.head, two.head));
  options.seed = 1;
  EXPECT_FALSE(same_bits(one.head, run(world, options).head));
}

TEST(Self, TakesHalfPrecision) {
  const BiasedWorld world;
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const auto learning = as(dtype, world.learning.data), held_out = as(dtype, world.held_out.data);
    const auto result = self(learning, held_out, world.erm);
    const auto exact = self(as(at::kFloat, learning), as(at::kFloat, held_out), world.erm);
    EXPECT_EQ(result.head.weight.scalar_type(), at::kFloat);
    EXPECT_TRUE(same_bits(result.head, exact.head));
  }
}

TEST(Self, TakesHeadsOfSeveralLayers) {
  BiasedWorld world;
  world.erm = of_several_layers(world.erm);
  EXPECT_FALSE(run(world).head.is_linear());
}

TEST(Self, NamesWhatIsWrong) {
  BiasedWorld world;
  EXPECT_ERROR(Counted({5, 5}, {0, 0}).samples(),
               "misclassifies no sample of the fine-tuning split, expected at least one; give data "
               "that the model was not trained on");
  EXPECT_ERROR(Counted({5, 0}, {3, 0}).samples(),
               "the fine-tuning split has no sample of class 1 (of 2 classes)");
  world.held_out.data.labels[2] = 9;
  EXPECT_ERROR(run(world), "the held-out split: labels hold 9 in row 2, expected 0 to 1");
}

TEST(Self, OptionsOutOfRangeAreNamed) {
  const auto expect = [](void (*change)(SelfOptions&), const char* text) {
    SelfOptions options;
    change(options);
    EXPECT_ERROR_OF(OptionError, options.validate(), text);
  };
  EXPECT_NO_THROW(SelfOptions{}.validate());
  expect([](SelfOptions& o) { o.learning_rates = {}; }, "learning_rates is empty");
  expect(
      [](SelfOptions& o) {
        o.learning_rates = {1e-3, 0};
      },
      "a value of learning_rates is 0, expected a number over 0");
  expect([](SelfOptions& o) { o.steps = 0; }, "steps is 0, expected at least 1");
  expect([](SelfOptions& o) { o.batch_size = 0; }, "batch_size is 0, expected 1 to 1000000");
  expect([](SelfOptions& o) { o.momentum = 1; }, "momentum is 1, expected 0 up to but not 1");
  expect([](SelfOptions& o) { o.weight_decay = -1; }, "weight_decay is -1, expected 0 or more");
}

}  // namespace
}  // namespace neurontune
