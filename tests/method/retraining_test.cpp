#include "neurontune/method/retraining.h"
#include "neurontune/method/class_balanced_sampler.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "error_matchers.h"
#include "on_device.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

at::Generator generator(uint64_t seed = 0) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

struct Problem {
  at::Tensor embeddings = at::randn({400, 12}, generator(1));
  at::Tensor labels = at::randint(0, 3, {400}, generator(2), at::kLong);
  Head start{at::randn({3, 12}, generator(3)), at::randn({3}, generator(4))};
  RetrainingOptions options;

  Problem() {
    options.batches_per_epoch = 20;
    options.batch_size = 32;
    options.learning_rate = 0.1;
  }
  HeadRetrainer retrainer() const {
    return HeadRetrainer(embeddings, labels, start, options, generator());
  }
};

TEST(HeadRetrainer, OneStepFollowsTheGradientWorkedOutByHand) {
  // One sample z = (2, 0) of class 0 and one (0, 1) of class 1; a zero head gives p = 1/2, so
  // dL/dW = ½ [(−½, ½)ᵀ (2, 0) + (½, −½)ᵀ (0, 1)] = [(−½, ¼), (½, −¼)], dL/db = 0.
  RetrainingOptions options;
  options.batches_per_epoch = 1;
  options.batch_size = 2;
  options.learning_rate = 1;
  options.weight_decay = 0;
  HeadRetrainer retrainer(matrix({{2.f, 0.f}, {0.f, 1.f}}), longs({0, 1}),
                          {at::zeros({2, 2}), at::zeros({2})}, options, generator());
  EXPECT_NEAR(retrainer.run_epoch(), std::log(2.0), 1e-6);
  EXPECT_TRUE(retrainer.head().weight.allclose(matrix({{0.5f, -0.25f}, {-0.5f, 0.25f}})));
  EXPECT_TRUE(retrainer.head().bias.allclose(at::zeros({2})));
}

TEST(HeadRetrainer, BiasedColumnsAreExactlyZero) {
  auto retrainer = Problem().retrainer();
  auto mask = at::ones({12});
  mask[3] = 0;
  retrainer.set_mask(mask);
  retrainer.run_epoch();
  const auto weight = retrainer.head().weight;
  EXPECT_TRUE(weight.select(1, 3).equal(at::zeros({3})));
  EXPECT_EQ(weight.ne(0).sum().item<int64_t>(), 33);
}

TEST(HeadRetrainer, AMaskedDimensionComesBackWithItsLastWeight) {
  const Problem problem;
  auto retrainer = problem.retrainer();
  auto mask = at::ones({12});
  mask[3] = 0;
  retrainer.set_mask(mask);
  retrainer.run_epoch();
  const auto others = retrainer.head().weight.select(1, 4).clone();
  retrainer.set_mask(at::ones({12}));
  EXPECT_TRUE(retrainer.head().weight.select(1, 3).equal(problem.start.weight.select(1, 3)));
  EXPECT_TRUE(retrainer.head().weight.select(1, 4).equal(others));
}

TEST(HeadRetrainer, APerClassMaskOfEqualRowsIsTheSharedMask) {
  const Problem problem;
  auto mask = at::ones({12});
  mask[0] = 0;
  mask[7] = 0.5;
  auto shared = problem.retrainer(), per_class = problem.retrainer();
  shared.set_mask(mask);
  per_class.set_mask(mask.expand({3, 12}));
  shared.run_epoch();
  per_class.run_epoch();
  EXPECT_TRUE(shared.head().weight.allclose(per_class.head().weight));
}

TEST(HeadRetrainer, TheStartIsNotTouched) {
  const Problem problem;
  const auto before = problem.start.weight.clone();
  auto retrainer = problem.retrainer();
  retrainer.run_epoch();
  EXPECT_TRUE(problem.start.weight.equal(before));
  EXPECT_FALSE(retrainer.head().weight.equal(before));
}

TEST(HeadRetrainer, HalfPrecisionEmbeddingsTrainAFloatHead) {
  Problem problem;
  problem.embeddings = problem.embeddings.to(at::kHalf);
  auto half = problem.retrainer();
  problem.embeddings = problem.embeddings.to(at::kFloat);
  auto full = problem.retrainer();
  EXPECT_DOUBLE_EQ(half.run_epoch(), full.run_epoch());
  EXPECT_TRUE(half.head().weight.equal(full.head().weight));
}

TEST(HeadRetrainer, BitsDoNotDependOnTheNumberOfThreads) {
  Problem problem;
  // Large enough for matrix products that would be cut up between threads.
  problem.embeddings = at::randn({400, 2048}, generator(1));
  problem.options.batch_size = 128;
  for (const int64_t classes : {10, 300}) {
    problem.labels = at::arange(400).remainder(classes);
    problem.start = {at::zeros({classes, 2048}), at::zeros({classes})};
    const auto one = head_after_an_epoch(problem, 1), two = head_after_an_epoch(problem, 2);
    EXPECT_TRUE(one.weight.equal(two.weight));
    EXPECT_TRUE(one.bias.equal(two.bias));
  }
}

TEST(HeadRetrainer, AHeadWithoutABiasStaysWithout) {
  Problem problem;
  problem.start.bias = at::Tensor();
  auto retrainer = problem.retrainer();
  retrainer.run_epoch();
  EXPECT_FALSE(retrainer.head().bias.defined());
  EXPECT_FALSE(fresh_head(problem.start, generator()).bias.defined());
}

TEST(HeadRetrainer, ShapesThatDisagreeAreNamed) {
  Problem problem;
  auto retrainer = problem.retrainer();
  EXPECT_ERROR(retrainer.set_mask(at::ones({5})), "the mask is float32 [5]");
  problem.start = {at::zeros({3, 5}), {}};
  EXPECT_ERROR(problem.retrainer(), "the head expects [N, 5]");
}

TEST(RetrainingOptions, ValuesOutOfRangeAreRefused) {
  RetrainingOptions options;
  options.learning_rate = 0;
  EXPECT_ERROR_OF(OptionError, options.validate(), "learning_rate is 0");
  options = {};
  options.momentum = 1;
  EXPECT_ERROR_OF(OptionError, options.validate(), "momentum is 1");
  options = {};
  options.epochs = 0;
  EXPECT_ERROR_OF(OptionError, options.validate(), "epochs is 0, expected 1 to 100000");
}

TEST(FreshHead, IsUniformWithinOneOverTheRootOfTheWidth) {
  const auto head = fresh_head({at::empty({50, 100}), at::empty({50})}, generator());
  EXPECT_LE(head.weight.abs().max().item<float>(), 0.1f);
  EXPECT_NEAR(head.weight.std().item<float>(), 0.1 / std::sqrt(3.0), 0.002);
  EXPECT_TRUE(head.bias.equal(at::zeros({50})));
}

enum class Mask { few_dropped, most_dropped, per_class, all_dropped };

/// The masks of two phases of training, float64.
std::vector<at::Tensor> masks_of(Mask kind, const Head& head) {
  std::vector<at::Tensor> masks;
  for (const uint64_t phase : {0, 1}) {
    auto shared = at::ones({head.embedding_dim()}, at::kDouble);
    shared[static_cast<int64_t>(phase)] = 0;
    shared[5] = 0.5;
    const auto values = at::rand(head.weight.sizes(), generator(7 + phase), at::kDouble);
    masks.push_back(kind == Mask::few_dropped    ? shared
                    : kind == Mask::most_dropped ? at::where(at::arange(12).remainder(4).eq(1),
                                                             shared, at::zeros_like(shared))
                    : kind == Mask::per_class    ? values.gt(0.3).to(at::kDouble) * shared
                                                 : at::zeros_like(shared));
  }
  return masks;
}

/// Two epochs behind the first mask, three behind the second, where momentum starts anew.
constexpr int kEpochs = 5;
bool mask_changes(int epoch) { return epoch == 0 || epoch == 2; }

class HeadRetrainerOnDevice : public OnDevice {
 protected:
  static Head retrained(const Problem& problem, Mask kind, std::vector<double>& losses) {
    HeadRetrainer retrainer(there(problem.embeddings), there(problem.labels), problem.start,
                            problem.options, generator());
    const auto masks = masks_of(kind, problem.start);
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      if (mask_changes(epoch)) retrainer.set_mask(masks[epoch / 2]);
      losses.push_back(retrainer.run_epoch());
    }
    return retrainer.head();
  }

  /// A softmax regression of a few lines, on the CPU in float64, on the same batches.
  static at::Tensor straight(const Problem& problem, Mask kind) {
    ClassBalancedSampler sampler(problem.labels, problem.start.classes(),
                                 problem.options.batch_size, generator());
    const auto masks = masks_of(kind, problem.start);
    const double decay = problem.options.weight_decay, rate = problem.options.learning_rate;
    auto weight = problem.start.weight.to(at::kDouble);
    const bool has_bias = problem.start.bias.defined();
    auto bias =
        has_bias ? problem.start.bias.to(at::kDouble) : at::zeros({weight.size(0)}, at::kDouble);
    at::Tensor mask, velocity, bias_velocity;
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      if (mask_changes(epoch)) {
        mask = masks[epoch / 2].expand_as(weight);
        velocity = at::zeros_like(weight);
        bias_velocity = at::zeros_like(bias);
      }
      for (const auto& rows : sampler.draw(problem.options.batches_per_epoch).unbind()) {
        const auto inputs = problem.embeddings.index_select(0, rows).to(at::kDouble);
        const auto one_hot = at::one_hot(problem.labels.index_select(0, rows), bias.size(0));
        const auto residuals =
            (at::linear(inputs, weight * mask, bias).softmax(1) - one_hot) / rows.size(0);
        velocity = velocity * problem.options.momentum + residuals.t().mm(inputs) * mask +
                   weight * mask.ne(0) * decay;
        bias_velocity = bias_velocity * problem.options.momentum + residuals.sum(0) + bias * decay;
        weight = weight - velocity * rate;
        if (has_bias) bias = bias - bias_velocity * rate;
      }
    }
    return at::cat({weight * mask, bias.unsqueeze(1)}, 1);
  }
};

TEST_P(HeadRetrainerOnDevice, EpochsAreThoseOfStraightGradientDescent) {
  for (const int64_t classes : {3, 40, 200})  // of a few classes the CPU's kernel is another
    for (const bool bias : {true, false})
      for (const auto kind :
           {Mask::few_dropped, Mask::most_dropped, Mask::per_class, Mask::all_dropped}) {
        SCOPED_TRACE(testing::Message() << classes << " classes, mask " << static_cast<int>(kind));
        Problem problem;
        problem.labels = at::arange(400).remainder(classes);
        problem.start = {at::randn({classes, 12}, generator(3)), {}};
        if (bias) problem.start.bias = at::randn({classes}, generator(4));
        std::vector<double> losses, again;
        const auto head = retrained(problem, kind, losses), same = retrained(problem, kind, again);
        EXPECT_EQ(head.weight.device(), device());
        EXPECT_EQ(head.bias.defined(), bias);
        const auto expected = straight(problem, kind);
        const auto close = [](const at::Tensor& found, const at::Tensor& straightly) {
          return found.cpu().to(at::kDouble).allclose(straightly, 1e-4, 1e-4);
        };
        EXPECT_TRUE(close(head.weight, expected.slice(1, 0, 12)));
        EXPECT_TRUE(head.weight.equal(same.weight));
        if (bias) {
          EXPECT_TRUE(close(head.bias, expected.select(1, 12)));
          EXPECT_TRUE(head.bias.equal(same.bias));
        }
        EXPECT_EQ(losses, again);
      }
}

NEURONTUNE_ON_EVERY_DEVICE(HeadRetrainerOnDevice);

}  // namespace
}  // namespace neurontune
