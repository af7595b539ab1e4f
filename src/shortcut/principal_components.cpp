#include "shortcut/principal_components.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "numerics/cross_product.h"
#include "numerics/fixed_blocks.h"
#include "numerics/leading_eigenvectors.h"

namespace neurontune {
namespace {

/// The scatter of scaled embeddings about the means of their classes: float64 [M, M].
at::Tensor scatter_within(const at::Tensor& inputs, const at::Tensor& labels, int64_t classes) {
  const auto one_hot = at::one_hot(labels, classes).to(inputs.scalar_type());
  const auto sums = cross_product(one_hot, inputs);
  const auto sizes = one_hot.sum(0, /*keepdim=*/false, at::kDouble).clamp_min(1).unsqueeze(1);
  auto scatter = gram(inputs);
  on_one_thread(inputs.device(), [&] { scatter -= sums.t().mm(sums / sizes); });
  return scatter;
}

/// At most so many, none in which nothing varies but by rounding; one at least: float64 [M, K].
at::Tensor first_directions(const at::Tensor& scatter, int64_t most) {
  const auto leading = leading_eigenvectors(scatter, most);
  int64_t varying = 0;
  on_one_thread(scatter.device(), [&] {
    const auto rounding = leading.values[-1] * (static_cast<double>(scatter.size(0)) *
                                                std::numeric_limits<double>::epsilon());
    varying = leading.values.gt(rounding).sum().item<int64_t>();
  });
  const int64_t found = leading.values.size(0), kept = std::max<int64_t>(1, varying);
  return leading.vectors.slice(1, found - kept, found).contiguous();
}

}  // namespace

PrincipalComponents::PrincipalComponents(const LabelledEmbeddings& data, int64_t classes,
                                         int64_t most)
    : scaling_(column_scaling(data.embeddings)), unscaled_(scaling_) {
  const int64_t dimensions = data.embeddings.size(1);
  if (dimensions > most) {
    const auto scatter = scatter_within(scaled(data.embeddings, scaling_), data.labels, classes);
    directions_ = first_directions(scatter, most);
    unscaled_.constant = at::zeros({directions_.size(1)}, scaling_.constant.options());
  }
  const int64_t columns = directions_.defined() ? directions_.size(1) : dimensions;
  unscaled_.mean = at::zeros({columns}, scaling_.mean.options());
  unscaled_.deviation = at::ones({columns}, scaling_.mean.options());
}

at::Tensor PrincipalComponents::of(const at::Tensor& embeddings) const {
  auto inputs = scaled(embeddings, scaling_);
  if (!directions_.defined()) return inputs;
  const auto directions = directions_.to(inputs.scalar_type());
  auto result = at::empty({inputs.size(0), directions.size(1)}, inputs.options());
  for_fixed_blocks(
      inputs.device(), inputs.size(0), kRowsPerBlock, [&](int64_t first, int64_t last) {
        result.slice(0, first, last).copy_(inputs.slice(0, first, last).mm(directions));
      });
  return result;
}

InferredGroups PrincipalComponents::of_embeddings(InferredGroups groups) const {
  groups.mean = scaling_.mean;
  groups.deviation = scaling_.deviation;
  if (!directions_.defined()) return groups;
  on_one_thread(directions_.device(), [&] {
    const auto back = directions_.t();
    groups.class_effects = groups.class_effects.mm(back);
    groups.attribute_effects = groups.attribute_effects.mm(back);
    groups.discriminants = directions_.mm(groups.discriminants);
  });
  return groups;
}

}  // namespace neurontune
