#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cstdint>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// Two classes in 40 dimensions, and an attribute that no one labelled.
struct World {
  static constexpr int64_t kDimensions = 40;
  at::Tensor labels, attributes, embeddings;
  Head erm{at::zeros({2, kDimensions}), at::zeros({2})};

  LabelledEmbeddings data() const { return {embeddings, labels}; }
};

/// The attribute agrees with the class in nine of ten samples; the head sees the attribute, which
/// is far clearer.
inline World world_with_shortcut(uint64_t seed = 1, int64_t samples = 3000,
                                 double agreement = 0.9) {
  World world;
  auto random = at::detail::createCPUGenerator(seed);
  world.labels = at::randint(0, 2, {samples}, random, at::kLong);
  const auto agrees = at::rand({samples}, random).lt(agreement);
  world.attributes = at::where(agrees, world.labels, 1 - world.labels);
  world.embeddings = at::randn({samples, World::kDimensions}, random);
  world.embeddings.select(1, 0).add_(world.labels, 2);
  for (const int64_t dimension : {1, 2}) {
    world.embeddings.select(1, dimension).add_(world.attributes, 5);
    world.erm.weight[1][dimension] = 1;
  }
  world.erm.bias[0] = 5;
  return world;
}

/// No attribute: each class is one Gaussian, the head is the best one there is, and its mistakes,
/// about one in ten, are the samples on the wrong side.
inline World world_of_hard_samples(uint64_t seed = 1, int64_t samples = 3000) {
  World world;
  auto random = at::detail::createCPUGenerator(seed);
  world.labels = at::randint(0, 2, {samples}, random, at::kLong);
  world.embeddings = at::randn({samples, World::kDimensions}, random);
  world.embeddings.select(1, 0).add_(world.labels, 2.6);
  world.erm.weight[1][0] = 1;
  world.erm.bias[0] = 1.3;
  return world;
}

}  // namespace neurontune
