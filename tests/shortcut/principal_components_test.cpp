#include "shortcut/principal_components.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "neurontune/shortcut/shortcut_search.h"
#include "shortcut/group_fit.h"
#include "worlds.h"

namespace neurontune {
namespace {

at::Generator generator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

/// A world in float64, whose dimensions have different means and deviations.
LabelledEmbeddings data_of(const World& world) {
  const auto z = world.embeddings.to(at::kDouble);
  const auto size = z.size(1);
  return {z * (at::rand({size}, generator(7), at::kDouble) + 0.5) +
              at::randn({size}, generator(8), at::kDouble),
          world.labels};
}

TEST(PrincipalComponents, AreTheFirstOfWhatTheClassesDoNotExplain) {
  const auto world = world_with_shortcut(1, 500);
  const auto data = data_of(world);
  const PrincipalComponents components(data, 2, 3);
  const at::Tensor z = (data.embeddings - data.embeddings.mean(0)) / data.embeddings.std(0, false);
  auto within = z.clone();
  for (int64_t label = 0; label < 2; ++label) {
    const auto rows = data.labels.eq(label).nonzero().squeeze(1);
    const auto of_class = within.index_select(0, rows);
    within.index_copy_(0, rows, of_class - of_class.mean(0));
  }
  const at::Tensor directions =
      std::get<2>(at::linalg_svd(within, false)).slice(0, 0, 3);  // [3, M]
  const auto found = components.of(data.embeddings);
  ASSERT_EQ(found.sizes(), (at::IntArrayRef{500, 3}));
  EXPECT_EQ(found.scalar_type(), at::kDouble);
  // Rising, each of either sign.
  const auto expected = z.mm(directions.t()).flip(1);
  EXPECT_TRUE(found.abs().allclose(expected.abs(), 1e-6, 1e-7));
}

TEST(PrincipalComponents, OfNoMoreDimensionsAreTheScaledOnes) {
  const auto data = data_of(world_with_shortcut(1, 200));
  const at::Tensor z = (data.embeddings - data.embeddings.mean(0)) / data.embeddings.std(0, false);
  for (const int64_t most : {40, 41})
    EXPECT_TRUE(PrincipalComponents(data, 2, most).of(data.embeddings).allclose(z, 0, 1e-10));
}

TEST(PrincipalComponents, LeaveNothingToBeScaled) {
  const auto data = data_of(world_with_shortcut(1, 200));
  for (const int64_t most : {5, 64}) {
    const PrincipalComponents components(data, 2, most);
    const int64_t columns = std::min<int64_t>(most, 40);
    EXPECT_TRUE(components.scaling().mean.equal(at::zeros({columns}, at::kDouble)));
    EXPECT_TRUE(components.scaling().deviation.equal(at::ones({columns}, at::kDouble)));
  }
}

TEST(PrincipalComponents, HaveNoDirectionInWhichNothingVaries) {
  auto data = data_of(world_with_shortcut(1, 300));
  const auto narrow = data.embeddings.slice(1, 0, 4);
  data.embeddings = at::cat({narrow, narrow, narrow}, 1);  // twelve dimensions of rank 4
  EXPECT_EQ(PrincipalComponents(data, 2, 10).of(data.embeddings).size(1), 4);
  data.embeddings = at::ones({300, 12}, at::kDouble);
  EXPECT_EQ(PrincipalComponents(data, 2, 10).of(data.embeddings).size(1), 1) << "one at least";
}

/// Groups of the coordinates, by evidence.
InferredGroups groups_of(const at::Tensor& coordinates, const at::Tensor& labels,
                         const at::Tensor& evidence) {
  return infer_groups({coordinates, labels}, evidence, 2);
}

TEST(PrincipalComponents, GroupsOfEmbeddingsBelieveWhatThoseOfCoordinatesDo) {
  const auto world = world_with_shortcut(1, 600);
  const auto data = data_of(world);
  const auto evidence = predictions(world.erm, world.embeddings);
  for (const int64_t most : {6, 40}) {
    SCOPED_TRACE(most);
    const PrincipalComponents components(data, 2, most);
    const auto coordinates = components.of(data.embeddings);
    auto groups = groups_of(coordinates, data.labels, evidence);
    // Of coordinates that are scaled once more; `of_embeddings` takes such as are not.
    const auto unscaled = [&] {
      auto result = groups;
      result.class_effects = groups.class_effects * groups.deviation;
      result.attribute_effects = groups.attribute_effects * groups.deviation;
      result.discriminants = groups.discriminants / groups.deviation.unsqueeze(1);
      result.mean = at::zeros_like(groups.mean);
      result.deviation = at::ones_like(groups.deviation);
      return result;
    }();
    const auto mapped = components.of_embeddings(unscaled);
    EXPECT_EQ(mapped.attribute_effects.sizes(), (at::IntArrayRef{2, 40}));
    EXPECT_EQ(mapped.discriminants.sizes(), (at::IntArrayRef{40, 2}));
    EXPECT_TRUE(mapped.distances().allclose(unscaled.distances(), 1e-8, 1e-8));
    EXPECT_TRUE(
        mapped.beliefs(data).allclose(unscaled.beliefs({coordinates, data.labels}), 0, 1e-8));
  }
}

TEST(PrincipalComponents, ConstantColumnsChangeNothing) {
  const auto data = data_of(world_with_shortcut(1, 300));
  const auto wider = LabelledEmbeddings{
      at::cat({data.embeddings, at::full({300, 3}, 7, at::kDouble)}, 1), data.labels};
  const auto coordinates = [](const LabelledEmbeddings& of) {
    return PrincipalComponents(of, 2, 5).of(of.embeddings).abs();
  };
  EXPECT_TRUE(coordinates(wider).allclose(coordinates(data), 1e-7, 1e-8));
}

/// Embeddings of covariance 1, so that any map of orthonormal columns with rows of one norm leaves
/// every dimension the same deviation.
struct Whitened {
  LabelledEmbeddings held_out, tuning;
  Head erm;

  explicit Whitened(const World& one, const World& other) {
    const auto z = one.embeddings.to(at::kDouble);
    const at::Tensor mean = z.mean(0), centred = z - mean;
    const auto root = at::linalg_cholesky(centred.t().mm(centred) / z.size(0));  // L
    const auto white = [&](const World& of) {
      const auto rows = of.embeddings.to(at::kDouble) - mean;
      return LabelledEmbeddings{at::linalg_solve(root, rows.t()).t().contiguous(), of.labels};
    };
    held_out = white(one);
    tuning = white(other);
    erm = {one.erm.weight.to(at::kDouble).mm(root),
           one.erm.bias + one.erm.weight.to(at::kDouble).mv(mean)};
  }

  ShortcutSearch searched(const at::Tensor& map) const {
    const auto there = [&](const LabelledEmbeddings& data) {
      return LabelledEmbeddings{data.embeddings.mm(map), data.labels};
    };
    return search_shortcut(there(held_out), there(tuning), {erm.weight.mm(map), erm.bias});
  }
};

/// Rows of Hadamard's matrix, orthonormal: float64 [40, dimensions], a power of 2.
at::Tensor hadamard_rows(int64_t dimensions) {
  auto matrix = at::ones({1, 1}, at::kDouble);
  while (matrix.size(0) < dimensions)
    matrix = at::cat({at::cat({matrix, matrix}, 1), at::cat({matrix, -matrix}, 1)}, 0);
  return matrix.slice(0, 1, World::kDimensions + 1) / std::sqrt(static_cast<double>(dimensions));
}

TEST(PrincipalComponents, AnOrthogonalMapToMoreDimensionsLeavesTheSeparation) {
  const Whitened data(world_with_shortcut(1), world_with_shortcut(2));
  const auto plain = data.searched(at::eye(World::kDimensions, at::kDouble));
  ASSERT_TRUE(plain.found_groups()) << plain.reason;
  for (const int64_t dimensions : {128, 512}) {
    SCOPED_TRACE(dimensions);
    const auto mapped = data.searched(hadamard_rows(dimensions));
    // The penalty is on as many times as large weights, so that a few labels more or fewer may be
    // suspected.
    EXPECT_NEAR(*mapped.separation, *plain.separation, 0.005 * *plain.separation);
    EXPECT_NEAR(*mapped.evidence(), *plain.evidence(), 0.05 * *plain.evidence());
  }
}

}  // namespace
}  // namespace neurontune
