#include "neurontune/shortcut/shortcut_search.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "error_matchers.h"
#include "on_device.h"
#include "oracle_cases.h"
#include "thread_count.h"
#include "worlds.h"

namespace neurontune {
namespace {

using ::testing::HasSubstr;

class ShortcutSearchOracleOnDevice : public OnDevice {};

TEST_P(ShortcutSearchOracleOnDevice, IsTheStraightVersion) {
  const auto cases = oracle_cases("shortcut_search");
  ASSERT_GE(cases.size(), 8U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto z = there(expected.tensor("embeddings")), labels = there(expected.tensor("labels"));
    ShortcutSearchOptions options;
    options.folds = expected.integer("folds");
    options.components = expected.integer("components");
    options.retraining = {expected.number("penalty"), 2000, 1e-9};
    const auto search = search_shortcut(
        {z.slice(0, 0, 500), labels.slice(0, 0, 500)}, {z.slice(0, 500), labels.slice(0, 500)},
        there(Head{expected.tensor("weight"), expected.tensor("bias")}), options,
        static_cast<uint64_t>(expected.integer("seed")));
    ASSERT_TRUE(search.found_groups()) << search.reason;
    EXPECT_EQ(search.suspected_labels, expected.integer("suspected"));
    EXPECT_EQ(search.beliefs.device(), device());
    EXPECT_TRUE(search.trusted.cpu().equal(expected.tensor("trusted")));
    EXPECT_NEAR(*search.separation, expected.number("separation"), 1e-6);
    EXPECT_NEAR(*search.reliance, expected.number("reliance"), 1e-12);
    EXPECT_TRUE(close_within(search.groups.effects().cpu(), expected.tensor("effects"), 1e-6));
    EXPECT_TRUE(close_within(search.beliefs.cpu(), expected.tensor("beliefs"), 1e-6));
  }
}

NEURONTUNE_ON_EVERY_DEVICE(ShortcutSearchOracleOnDevice);

ShortcutSearch searched(const World& held_out, const World& tuning,
                        const ShortcutSearchOptions& options = {}, uint64_t seed = 0) {
  return search_shortcut(held_out.data(), tuning.data(), held_out.erm, options, seed);
}

/// Every `step`-th label made wrong.
World mislabelled(World world, int64_t step) {
  auto some = world.labels.slice(0, 0, world.labels.size(0), step);
  some.copy_(1 - some);
  return world;
}

TEST(ShortcutSearch, WrongLabelsHideNoShortcutAndMakeNone) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    SCOPED_TRACE(seed);
    const auto held_out = world_with_shortcut(seed, 3000, 0.95);
    const auto tuning = world_with_shortcut(seed + 100, 3000, 0.95);
    const auto noisy = mislabelled(held_out, 10);
    const auto search = searched(noisy, tuning), clean = searched(held_out, tuning);
    EXPECT_EQ(search.verdict, ShortcutVerdict::supported);
    EXPECT_NEAR(*search.separation, *clean.separation, 0.2);
    const auto wrong = noisy.labels.ne(held_out.labels);
    const auto trusted_wrong = wrong.index_select(0, search.trusted).sum().item<int64_t>();
    EXPECT_LT(trusted_wrong, 0.5 * 300);
    EXPECT_EQ(*search.suspected_labels + search.trusted.size(0), 3000);

    const auto hard =
        searched(mislabelled(world_of_hard_samples(seed), 10), world_of_hard_samples(seed + 100));
    EXPECT_EQ(hard.verdict, ShortcutVerdict::unsupported);
    EXPECT_GT(*search.evidence(), *hard.evidence());
  }
}

TEST(ShortcutSearch, AHeadThatFitsItsTuningDataPerfectlySuspectsNoMoreLabels) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const auto held_out = world_of_hard_samples(seed);
    auto tuning = world_of_hard_samples(seed + 100);
    // As if learnt by heart: no sample is on the wrong side, so that a retrained head is sure of
    // all.
    auto along = tuning.embeddings.select(1, 0);
    along.copy_(1.3 + (along - 1.3).abs() * (2 * tuning.labels - 1));
    const auto mistakes =
        predictions(held_out.erm, held_out.embeddings).ne(held_out.labels).sum().item<int64_t>();
    EXPECT_LT(*searched(held_out, tuning).suspected_labels, 0.15 * static_cast<double>(mistakes));
  }
}

TEST(ShortcutSearch, MistakesThatAreWrongLabelsAloneAreUndecided) {
  auto held_out = world_with_shortcut(1);
  const auto tuning = world_with_shortcut(2);
  // Far from the boundary, and predicted right but for every tenth label.
  held_out.labels = held_out.attributes.clone();
  held_out.embeddings.select(1, 0).copy_(held_out.labels * 12 - 5);
  for (const int64_t dimension : {1, 2})
    held_out.embeddings.select(1, dimension).copy_(held_out.labels * 5);
  const auto search = searched(mislabelled(held_out, 10), tuning);
  EXPECT_EQ(search.verdict, ShortcutVerdict::undecided);
  EXPECT_THAT(search.reason,
              HasSubstr("mistakes on held-out data all but 0 look like wrong label"));
  EXPECT_EQ(search.suspected_labels, 300);
  EXPECT_FALSE(search.found_groups());
}

TEST(ShortcutSearch, SupportsAShortcutAndNamesItsGroups) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const auto held_out = world_with_shortcut(seed), tuning = world_with_shortcut(seed + 100);
    const auto search = searched(held_out, tuning);
    EXPECT_EQ(search.verdict, ShortcutVerdict::supported);
    EXPECT_THAT(search.reason, HasSubstr(", threshold 4"));
    ASSERT_TRUE(search.found_groups()) << search.reason;
    EXPECT_GT(*search.reliance, 1.1);
    EXPECT_DOUBLE_EQ(*search.evidence(),
                     *search.separation * std::cbrt(*search.reliance) / std::pow(2, 0.4));
    // Of the attribute's values: 5 apart in two dimensions, and hardly in any other.
    ASSERT_EQ(search.groups.effects().sizes(), (at::IntArrayRef{2, World::kDimensions}));
    const auto apart = search.groups.effects()[1] - search.groups.effects()[0];
    EXPECT_NEAR(apart[1].item<double>(), 5, 0.5);
    EXPECT_NEAR(apart[2].item<double>(), 5, 0.5);
    EXPECT_LT(apart[0].abs().item<double>(), 0.5);
    const auto attributes = held_out.attributes.index_select(0, search.trusted);
    const auto right = search.beliefs.argmax(1).eq(attributes);
    EXPECT_GT(right.to(at::kDouble).mean().item<double>(), 0.95);
    const auto against = attributes.ne(held_out.labels.index_select(0, search.trusted));
    EXPECT_GT(right.masked_select(against).to(at::kDouble).mean().item<double>(), 0.9);
  }
}

TEST(ShortcutSearch, HardSamplesAreNoShortcut) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const auto search = searched(world_of_hard_samples(seed), world_of_hard_samples(seed + 100));
    EXPECT_EQ(search.verdict, ShortcutVerdict::unsupported);
    EXPECT_THAT(search.reason, HasSubstr(" times as many errors: evidence "));
    EXPECT_THAT(search.reason, HasSubstr(", threshold 4"));
    EXPECT_TRUE(search.found_groups());
    EXPECT_LT(*search.separation, 4);
  }
}

TEST(ShortcutSearch, OfALargeTuningSplitAPartSaysAsMuch) {
  const auto held_out = world_with_shortcut(1);
  const auto small = searched(held_out, world_with_shortcut(2, 16384));
  const auto large = searched(held_out, world_with_shortcut(2, 50000));
  EXPECT_NEAR(*large.evidence(), *small.evidence(), 0.05 * *small.evidence());
}

TEST(ShortcutSearch, TheThresholdDecides) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  ShortcutSearchOptions options;
  options.evidence_threshold = *searched(held_out, tuning).evidence();
  EXPECT_EQ(searched(held_out, tuning, options).verdict, ShortcutVerdict::supported);
  options.evidence_threshold *= 1 + 1e-9;
  EXPECT_EQ(searched(held_out, tuning, options).verdict, ShortcutVerdict::unsupported);
}

void expect_undecided(const ShortcutSearch& search, const std::string& reason) {
  EXPECT_EQ(search.verdict, ShortcutVerdict::undecided);
  EXPECT_THAT(search.reason, HasSubstr(reason));
  EXPECT_FALSE(search.found_groups());
  EXPECT_FALSE(search.separation || search.reliance || search.evidence());
  EXPECT_FALSE(search.groups.attribute_effects.defined());
}

TEST(ShortcutSearch, TooFewSamplesAreUndecided) {
  const auto tuning = world_with_shortcut(2);
  expect_undecided(searched(world_with_shortcut(1, 39), tuning),
                   "39 held-out samples are too few to infer 4 groups (9.75 a group, expected 10)");
  EXPECT_TRUE(searched(world_with_shortcut(1, 40, 0.8), tuning).found_groups());
}

TEST(ShortcutSearch, EmbeddingsThatDoNotVaryWithinTheClassesAreUndecided) {
  const auto labels = at::arange(100).remainder(2);
  const auto embeddings = labels.unsqueeze(1).expand({100, 3}).to(at::kFloat);
  const Head always_0{at::zeros({2, 3}), at::tensor({1.f, 0.f})};
  const LabelledEmbeddings data{embeddings, labels};
  expect_undecided(search_shortcut(data, data, always_0), "do not vary within the classes");
}

TEST(ShortcutSearch, TooFewMistakesAreUndecided) {
  const auto tuning = world_with_shortcut(2);
  const auto held_out = world_with_shortcut(1);
  // Right labels, where the head is mistaken: only some of its mistakes stay.
  const auto predicted = predictions(held_out.erm, held_out.embeddings);
  const auto mistakes = predicted.ne(held_out.labels).nonzero().squeeze(1);
  const auto with_mistakes = [&](int64_t count) {
    auto world = held_out;
    world.labels = predicted.clone();
    const auto kept = mistakes.slice(0, 0, count);
    world.labels.index_copy_(0, kept, held_out.labels.index_select(0, kept));
    return searched(world, tuning);
  };
  expect_undecided(with_mistakes(3), "the ERM head makes 3 mistakes on held-out data");
  EXPECT_TRUE(with_mistakes(4).found_groups());
}

TEST(ShortcutSearch, AClassOfFewerSamplesThanFoldsIsUndecided) {
  auto held_out = world_with_shortcut(1);
  held_out.labels.zero_();
  held_out.labels.slice(0, 0, 3).fill_(1);
  ShortcutSearchOptions options;
  options.folds = 4;
  expect_undecided(searched(held_out, world_with_shortcut(2), options),
                   "class 1 has 3 held-out samples, fewer than there are folds");
}

TEST(ShortcutSearch, AnotherSeedDrawsOtherFoldsAndTheVerdictStays) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto one = searched(held_out, tuning, {}, 1), two = searched(held_out, tuning, {}, 2);
  EXPECT_FALSE(one.beliefs.equal(two.beliefs));
  // The folds' products, in float32, add up in another order.
  EXPECT_TRUE(one.groups.effects().allclose(two.groups.effects(), 0, 1e-4));
  EXPECT_EQ(one.reliance, two.reliance);
  EXPECT_NEAR(*one.evidence(), *two.evidence(), 1e-3);  // by beliefs of groups fitted to others
  EXPECT_EQ(one.verdict, two.verdict);
}

TEST(ShortcutSearch, BitsDoNotDependOnTheNumberOfThreads) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto one = with_threads(1, [&] { return searched(held_out, tuning); });
  const auto two = with_threads(2, [&] { return searched(held_out, tuning); });
  EXPECT_EQ(one.separation, two.separation);
  EXPECT_EQ(one.reliance, two.reliance);
  EXPECT_TRUE(one.groups.effects().equal(two.groups.effects()));
  EXPECT_TRUE(one.beliefs.equal(two.beliefs));
  EXPECT_TRUE(one.groups.discriminants.equal(two.groups.discriminants));
}

TEST(ShortcutSearch, SeveralLayersOfAHeadCountByTheirLogits) {
  auto held_out = world_with_shortcut(1, 3000, 0.95);
  const auto tuning = world_with_shortcut(2, 3000, 0.95);
  const auto linear = searched(held_out, tuning);
  auto later = std::make_shared<LaterLayers>();
  later->forward = [](const at::Tensor& hidden, const std::vector<at::Tensor>& parameters) {
    return at::linear(hidden, parameters.at(0));
  };
  later->classes = 2;
  held_out.erm.later_layers = later;
  held_out.erm.later_parameters = {at::eye(2)};
  const auto deep = searched(held_out, tuning);
  EXPECT_EQ(deep.verdict, ShortcutVerdict::supported);
  EXPECT_EQ(deep.evidence(), linear.evidence());
  EXPECT_TRUE(deep.beliefs.equal(linear.beliefs));
  // The same predictions, less sure: other labels may be suspected.
  held_out.erm.later_parameters = {at::eye(2) / 8};
  const auto unsure = searched(held_out, tuning);
  EXPECT_EQ(unsure.verdict, ShortcutVerdict::supported);
  EXPECT_NEAR(*unsure.evidence(), *linear.evidence(), 0.01);
}

TEST(ShortcutSearch, HalfPrecisionEmbeddingsAreTakenAsFloats) {
  auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto in = [&](at::ScalarType dtype) {
    held_out.embeddings = held_out.embeddings.to(dtype);
    tuning.embeddings = tuning.embeddings.to(dtype);
    return searched(held_out, tuning).beliefs;
  };
  const auto half = in(at::kHalf);
  EXPECT_TRUE(half.equal(in(at::kFloat)));
}

class ShortcutSearchOnDevice : public OnDevice {};

/// In float32, where the oracle's tolerance is too narrow, against the attributes themselves.
TEST_P(ShortcutSearchOnDevice, FindsTheAttributesThatTheWorldWasMadeFrom) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto found =
      search_shortcut(there(held_out.data()), there(tuning.data()), there(held_out.erm));
  EXPECT_EQ(found.verdict, ShortcutVerdict::supported);
  ASSERT_TRUE(found.found_groups());
  EXPECT_EQ(found.beliefs.device(), device());
  const auto attributes = held_out.attributes.index_select(0, found.trusted.cpu());
  const auto right = found.beliefs.cpu().argmax(1).eq(attributes);
  EXPECT_GT(right.to(at::kDouble).mean().item<double>(), 0.95);
  const auto apart = (found.groups.effects()[1] - found.groups.effects()[0]).cpu();
  EXPECT_NEAR(apart[1].item<double>(), 5, 0.5);
  EXPECT_NEAR(apart[2].item<double>(), 5, 0.5);
  EXPECT_LT(apart.slice(0, 3).abs().max().item<double>(), 0.5);
}

NEURONTUNE_ON_EVERY_DEVICE(ShortcutSearchOnDevice);

/// The world seen through more dimensions: a random map of orthonormal columns, and a little noise.
World in_dimensions(const World& world, int64_t dimensions, uint64_t seed) {
  const auto random =
      at::randn({dimensions, World::kDimensions}, at::detail::createCPUGenerator(9));
  const at::Tensor map = std::get<0>(at::linalg_qr(random)).t();
  World seen = world;
  const auto noise =
      at::randn({world.labels.size(0), dimensions}, at::detail::createCPUGenerator(seed));
  seen.embeddings = world.embeddings.mm(map) + 0.01 * noise;
  seen.erm.weight = world.erm.weight.mm(map);
  return seen;
}

TEST(ShortcutSearch, TheVerdictIsTheSameInMoreDimensions) {
  for (const int64_t dimensions : {64, 256, 600}) {
    SCOPED_TRACE(dimensions);
    const auto search = [&](auto world_of) {
      return searched(in_dimensions(world_of(1, 2000), dimensions, 11),
                      in_dimensions(world_of(2, 2000), dimensions, 12));
    };
    const auto shortcut =
        search([](uint64_t seed, int64_t samples) { return world_with_shortcut(seed, samples); });
    const auto hard =
        search([](uint64_t seed, int64_t samples) { return world_of_hard_samples(seed, samples); });
    EXPECT_EQ(shortcut.verdict, ShortcutVerdict::supported) << shortcut.reason;
    EXPECT_EQ(hard.verdict, ShortcutVerdict::unsupported) << hard.reason;
    EXPECT_EQ(shortcut.groups.effects().sizes(), (at::IntArrayRef{2, dimensions}));
  }
}

TEST(ShortcutSearch, RefusesWhatItCannotUse) {
  const auto held_out = world_with_shortcut(1), tuning = world_with_shortcut(2);
  const auto expect_refused = [&](auto set, const char* message) {
    ShortcutSearchOptions options;
    set(options);
    EXPECT_ERROR_OF(OptionError, searched(held_out, tuning, options), message);
  };
  expect_refused([](auto& options) { options.evidence_threshold = -1; },
                 "evidence_threshold is -1");
  expect_refused([](auto& options) { options.retraining.attribute_penalty = -1; },
                 "attribute_penalty is -1");
  expect_refused([](auto& options) { options.folds = 1; }, "folds is 1, expected 2 to 100");
  expect_refused([](auto& options) { options.components = 0; }, "components is 0");
  expect_refused([](auto& options) { options.samples_per_group = -1; }, "samples_per_group is -1");
  expect_refused([](auto& options) { options.groups.rounds = 0; }, "rounds is 0");
  expect_refused([](auto& options) { options.retraining.penalty = 0; }, "penalty is 0");
  EXPECT_ERROR(
      search_shortcut({at::ones({5, 3}), at::zeros({5}, at::kLong)}, tuning.data(), held_out.erm),
      "the held-out split: embeddings are float32 [5, 3]");
  EXPECT_ERROR(
      search_shortcut(held_out.data(), {at::ones({5, 3}), at::zeros({5}, at::kLong)}, held_out.erm),
      "the tuning split: embeddings are float32 [5, 3]");
}

TEST(ShortcutSearch, VerdictsHaveNames) {
  EXPECT_STREQ(name(ShortcutVerdict::supported), "supported");
  EXPECT_STREQ(name(ShortcutVerdict::unsupported), "unsupported");
  EXPECT_STREQ(name(ShortcutVerdict::undecided), "undecided");
}

}  // namespace
}  // namespace neurontune
