#include "neurontune/method/inferred_groups.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "error_matchers.h"
#include "neurontune/metrics/group_accuracy.h"
#include "thread_count.h"

namespace neurontune {
namespace {

/// Two classes and an attribute that agrees with them in nine of ten samples; the head sees the
/// attribute, which is far clearer.
struct World {
  at::Tensor labels, attributes, embeddings;
  Head erm{at::zeros({2, 40}), at::zeros({2})};

  explicit World(uint64_t seed = 1, int64_t samples = 3000) {
    auto random = at::detail::createCPUGenerator(seed);
    labels = at::randint(0, 2, {samples}, random, at::kLong);
    const auto agrees = at::rand({samples}, random).lt(0.9);
    attributes = at::where(agrees, labels, 1 - labels);
    embeddings = at::randn({samples, 40}, random);
    embeddings.select(1, 0).add_(labels, 2);
    embeddings.select(1, 1).add_(attributes, 5);
    erm.weight[1][1] = 1;
    erm.bias[0] = 2.5;
  }
  LabelledEmbeddings data() const { return {embeddings, labels}; }
};

double agreement(const at::Tensor& beliefs, const at::Tensor& attributes) {
  return beliefs.argmax(1).eq(attributes).to(at::kDouble).mean().item<double>();
}

TEST(InferredGroups, FindTheAttributeThatNoOneLabelled) {
  const World held_out(1), train(2);
  const auto groups = infer_groups(held_out.data(), held_out.erm);
  EXPECT_TRUE(groups.converged);
  EXPECT_GT(agreement(groups.beliefs(held_out.data()), held_out.attributes), 0.98);
  EXPECT_GT(agreement(groups.beliefs(train.data()), train.attributes), 0.98);
}

TEST(InferredGroups, BeliefsSumToOne) {
  const World world;
  const auto beliefs = infer_groups(world.data(), world.erm).beliefs(world.data());
  EXPECT_TRUE(beliefs.sum(1).allclose(at::ones({3000}, at::kDouble)));
}

TEST(InferredGroups, ThePriorStaysAtWhatTheHeadConfuses) {
  const World world;
  const auto groups = infer_groups(world.data(), world.erm);
  const auto predicted = predictions(world.erm, world.embeddings);
  const auto counts = group_counts(world.labels, predicted, 2, 2).view({2, 2}).to(at::kDouble) + 2;
  EXPECT_TRUE(groups.log_prior.exp().allclose(counts / counts.sum(1, true)));
}

TEST(InferredGroups, BitsDoNotDependOnTheNumberOfThreads) {
  const World world;
  const auto fit = [&](int threads) {
    return with_threads(threads,
                        [&] { return infer_groups(world.data(), world.erm).discriminants; });
  };
  EXPECT_TRUE(fit(1).equal(fit(2)));
}

TEST(InferredGroups, StopWhereTheyAreTold) {
  const World world;
  InferredGroupsOptions options;
  options.iterations = 1;
  options.tolerance = 0;
  const auto groups = infer_groups(world.data(), world.erm, options);
  EXPECT_EQ(groups.iterations, 1);
  EXPECT_FALSE(groups.converged);
}

TEST(InferredGroups, RefuseWhatTheyCannotUse) {
  const World world;
  InferredGroupsOptions options;
  options.shrinkage = 0;
  EXPECT_ERROR(infer_groups(world.data(), world.erm, options), "shrinkage is 0, expected over 0");
  EXPECT_ERROR(infer_groups({at::ones({50, 40}), at::arange(50).remainder(2)}, world.erm),
               "do not vary within the classes");
  const auto groups = infer_groups(world.data(), world.erm);
  EXPECT_ERROR(groups.beliefs({at::ones({5, 3}), at::zeros({5}, at::kLong)}),
               "embeddings are float32 [5, 3], expected [N, 40]");
}

}  // namespace
}  // namespace neurontune
