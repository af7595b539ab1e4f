// Heads of several layers: retraining by autograd, against the closed form and against torch::nn.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/nn/functional/activation.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include "error_matchers.h"
#include "neurontune/method/class_balanced_sampler.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/method/retraining.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

at::Generator generator(uint64_t seed = 0) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

/// linear(6 → 5), relu, linear(5 → 3)
Head two_layers() {
  auto later = std::make_shared<LaterLayers>();
  later->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>& parameters) {
    return at::linear(hidden.relu(), parameters.at(0), parameters.at(1));
  };
  later->classes = 3;
  later->parameter_names = {"2.weight", "2.bias"};
  Head head{at::randn({5, 6}, generator(3)), at::randn({5}, generator(4))};
  head.later_parameters = {at::randn({3, 5}, generator(5)), at::randn({3}, generator(6))};
  head.later_layers = std::move(later);
  return head;
}

struct Problem {
  at::Tensor embeddings = at::randn({300, 6}, generator(1));
  at::Tensor labels = at::randint(0, 3, {300}, generator(2), at::kLong);
  Head start = two_layers();
  RetrainingOptions options;

  Problem() {
    options.batches_per_epoch = 15;
    options.batch_size = 70;
    options.learning_rate = 0.05;
    options.weight_decay = 0.01;
  }
  HeadRetrainer retrainer() const {
    return HeadRetrainer(embeddings, labels, start, options, generator());
  }
};

/// The same head as torch::nn modules, trained as a program would on the same batches.
struct Reference {
  explicit Reference(const Problem& problem) : problem_(problem) {
    const c10::NoGradGuard no_grad;
    first->weight.copy_(problem.start.weight);
    first->bias.copy_(problem.start.bias);
    second->weight.copy_(problem.start.later_parameters[0]);
    second->bias.copy_(problem.start.later_parameters[1]);
  }

  double run_epoch(const at::Tensor& mask) {
    const auto& options = problem_.options;
    torch::nn::Sequential model(first, torch::nn::ReLU(), second);
    torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(options.learning_rate)
                                                         .momentum(options.momentum)
                                                         .weight_decay(options.weight_decay));
    ClassBalancedSampler sampler(problem_.labels, 3, options.batch_size, generator());
    const auto batches = sampler.draw(options.batches_per_epoch);
    double sum = 0;
    for (int64_t batch = 0; batch < batches.size(0); ++batch) {
      const auto rows = batches[batch];
      optimizer.zero_grad();
      const auto loss = torch::nn::functional::cross_entropy(
          model->forward(problem_.embeddings.index_select(0, rows) * mask),
          problem_.labels.index_select(0, rows));
      loss.backward();
      optimizer.step();
      sum += loss.item<double>();
    }
    return sum / static_cast<double>(batches.size(0));
  }

  torch::nn::Linear first{6, 5}, second{5, 3};

 private:
  const Problem& problem_;
};

bool close(const at::Tensor& a, const at::Tensor& b) { return at::allclose(a, b, 1e-4, 1e-5); }

TEST(LayeredRetraining, IsWhatTorchNnAndTorchOptimDo) {
  const Problem problem;
  auto retrainer = problem.retrainer();
  Reference reference(problem);
  EXPECT_NEAR(retrainer.run_epoch(), reference.run_epoch(at::ones({6})), 1e-5);
  const auto head = retrainer.head();
  EXPECT_TRUE(close(head.weight, reference.first->weight));
  EXPECT_TRUE(close(head.bias, reference.first->bias));
  EXPECT_TRUE(close(head.later_parameters[0], reference.second->weight));
  EXPECT_TRUE(close(head.later_parameters[1], reference.second->bias));
  EXPECT_FALSE(close(head.later_parameters[0], problem.start.later_parameters[0]));
}

TEST(LayeredRetraining, MaskedColumnsAreZeroAndTheOthersTrainedWithoutThem) {
  const Problem problem;
  const auto mask = at::tensor({1.f, 0.f, 1.f, 1.f, 0.f, 1.f});
  auto retrainer = problem.retrainer();
  retrainer.set_mask(mask);
  Reference reference(problem);
  EXPECT_NEAR(retrainer.run_epoch(), reference.run_epoch(mask), 1e-5);
  const auto head = retrainer.head();
  EXPECT_TRUE(head.weight.select(1, 1).equal(at::zeros({5})));
  EXPECT_TRUE(close(head.weight, reference.first->weight * mask));
  EXPECT_TRUE(close(head.later_parameters[0], reference.second->weight));
  retrainer.set_mask(at::ones({6}));
  EXPECT_TRUE(retrainer.head().weight.select(1, 1).equal(problem.start.weight.select(1, 1)))
      << "a masked weight waits unchanged";
}

TEST(LayeredRetraining, OneLinearLayerIsTheClosedForm) {
  Problem problem;
  auto later = std::make_shared<LaterLayers>();
  later->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>&) { return hidden; };
  later->classes = 3;
  problem.start = {at::randn({3, 6}, generator(3)), at::randn({3}, generator(4))};
  auto closed_form = problem.retrainer();
  problem.start.later_layers = later;
  auto by_autograd = problem.retrainer();
  for (const double masked : {0.0, 0.5}) {
    const auto mask = at::tensor({1.0, masked, 1.0, 1.0, masked, 1.0}).to(at::kFloat);
    closed_form.set_mask(mask);
    by_autograd.set_mask(mask);
    EXPECT_NEAR(by_autograd.run_epoch(), closed_form.run_epoch(), 1e-5);
    EXPECT_TRUE(close(by_autograd.head().weight, closed_form.head().weight));
    EXPECT_TRUE(close(by_autograd.head().bias, closed_form.head().bias));
  }
}

TEST(LayeredRetraining, BitsDoNotDependOnTheNumberOfThreads) {
  const Problem problem;
  const auto one = head_after_an_epoch(problem, 1), two = head_after_an_epoch(problem, 2);
  EXPECT_TRUE(one.weight.equal(two.weight));
  EXPECT_TRUE(one.later_parameters[0].equal(two.later_parameters[0]));
}

TEST(LayeredRetraining, AMaskForEachClassIsRefused) {
  const Problem problem;
  auto retrainer = problem.retrainer();
  EXPECT_ERROR(retrainer.set_mask(at::ones({5, 6})), "the mask is float32 [5, 6]");
  NeuronTuneOptions options;
  options.identify.aggregate = Aggregate::per_class;
  EXPECT_ERROR_OF(OptionError,
                  neuron_tune({problem.embeddings, problem.labels},
                              {problem.embeddings, problem.labels}, problem.start, options),
                  "aggregate is per_class");
}

TEST(LayeredRetraining, TheWholeMethodRunsOnIt) {
  const Problem problem;
  NeuronTuneOptions options;
  options.tune = problem.options;
  options.tune.epochs = 3;
  options.select.criterion = Criterion::guarded_sfit;
  const LabelledEmbeddings data{problem.embeddings, problem.labels};
  const auto result = neuron_tune(data, data, problem.start, options);
  ASSERT_EQ(result.trajectory.size(), 3U);
  EXPECT_FALSE(result.head.is_linear());
  const auto masked = result.biased.mask.eq(0);
  EXPECT_GT(masked.sum().item<int64_t>(), 0);
  EXPECT_EQ(
      result.head.weight.index({at::indexing::Slice(), masked}).count_nonzero().item<int64_t>(), 0);
  EXPECT_FALSE(result.head.weight.requires_grad());
  EXPECT_EQ(logits(result.head, problem.embeddings).sizes(), (std::vector<int64_t>{300, 3}));
}

TEST(FreshHead, DrawsEveryMatrixAndClearsEveryBias) {
  const auto like = two_layers();
  const auto head = fresh_head(like, generator());
  EXPECT_LE(head.later_parameters[0].abs().max().item<double>(), 1 / std::sqrt(5.0));
  EXPECT_FALSE(head.later_parameters[0].equal(like.later_parameters[0]));
  EXPECT_TRUE(head.later_parameters[1].equal(at::zeros({3})));
  EXPECT_TRUE(head.bias.equal(at::zeros({5})));
}

}  // namespace
}  // namespace neurontune
