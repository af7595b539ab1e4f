#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "neurontune/baselines/grouped_embeddings.h"
#include "neurontune/core/head.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

/// Two classes and an attribute that is the label in most samples. Dimension 0 tells the classes
/// apart, a little noisily; dimension 1 tells the attribute, clearly; the others are noise.
inline GroupedEmbeddings biased_split(int64_t samples, double agreement, uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto labels = at::randint(0, 2, {samples}, generator, at::kLong);
  const auto agrees = at::rand({samples}, generator) < agreement;
  const auto attributes = at::where(agrees, labels, 1 - labels);
  auto embeddings = at::randn({samples, 8}, generator) * 0.6;
  embeddings.select(1, 0).add_((labels * 2 - 1) * 1.2);
  embeddings.select(1, 1).add_((attributes * 2 - 1) * 1.5);
  return {{embeddings, labels}, attributes};
}

/// A biased set, and a head that mostly looks at the attribute.
struct BiasedWorld {
  GroupedEmbeddings learning = biased_split(800, 0.9, 1);
  GroupedEmbeddings held_out = biased_split(800, 0.9, 2);
  GroupedEmbeddings test = biased_split(2000, 0.5, 3);
  Head erm{at::zeros({2, 8}), at::zeros({2})};

  BiasedWorld() {
    for (int64_t label = 0; label < 2; ++label) {
      erm.weight[label][0] = label == 0 ? -0.6 : 0.6;
      erm.weight[label][1] = label == 0 ? -1.5 : 1.5;
    }
  }

  double worst_group_accuracy(const Head& head) const {
    return group_metrics(predictions(head, test.data.embeddings), test.data.labels, test.attributes,
                         2, 2)
        .worst_group_accuracy;
  }
  double erm_worst_group_accuracy() const { return worst_group_accuracy(erm); }
};

inline bool same_bits(const Head& one, const Head& other) {
  return one.weight.equal(other.weight) && one.bias.equal(other.bias);
}

inline LabelledEmbeddings as(at::ScalarType dtype, const LabelledEmbeddings& data) {
  return {data.embeddings.to(dtype), data.labels};
}

/// A head of several layers that behaves as the linear one: identity after it.
inline Head of_several_layers(Head head) {
  auto layers = std::make_shared<LaterLayers>();
  layers->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>&) {
    return hidden.clone();
  };
  layers->classes = head.weight.size(0);
  head.later_layers = layers;
  return head;
}

}  // namespace neurontune
