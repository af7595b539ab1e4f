#include "compare/compared_methods.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compare/quick_comparison.h"
#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "neurontune/baselines/last_layer_retraining.h"
#include "neurontune/repair/bias_shift.h"
#include "neurontune/repair/tuned_head.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ComparedMethod method(const std::string& name, const CompareOptions& options = {}) {
  for (auto& method : compared_methods(options))
    if (method.name == name) return method;
  ADD_FAILURE() << "no method " << name;
  return {};
}

CompareOptions with_splits(const std::string& identify, const std::string& tune) {
  CompareOptions options;
  options.config = resolve_config("", {});
  options.config.splits.identify = identify;
  options.config.splits.tune = tune;
  return options;
}

TEST(ComparedMethods, AreTheseInThisOrder) {
  EXPECT_THAT(method_names(),
              ElementsAre("erm", "llr", "llr_val", "bias_shift", "anchored", "dfr", "dfr_val",
                          "afr", "shortcut_probe", "self", "neurontune", "neurontune_half",
                          "rebalanced", "rebalanced_masked", "neurontune_default"));
}

TEST(ComparedMethods, OnlyOraclesSeeAttributes) {
  auto options = with_splits("val", "train");
  for (const auto& of : compared_methods(options)) {
    bool sees_attributes = false;
    for (const auto& seen : of.sees) sees_attributes |= seen.ends_with("_attributes");
    EXPECT_EQ(of.oracle, sees_attributes) << of.name;
    EXPECT_EQ(of.oracle, of.name.starts_with("dfr")) << of.name;
  }
  options.config.select.criterion = Criterion::worst_group;
  EXPECT_TRUE(method("neurontune_default", options).oracle);
  EXPECT_THAT(method("neurontune_default", options).sees,
              ElementsAre("train_labels", "val_labels", "val_attributes"));
  EXPECT_FALSE(method("neurontune", options).oracle) << "the paper's criterion is sfit";
}

TEST(ComparedMethods, SeeTheSplitsOfTheConfig) {
  const auto options = with_splits("held", "fit");
  EXPECT_THAT(method("llr", options).sees, ElementsAre("fit_labels"));
  EXPECT_THAT(method("llr_val", options).sees, ElementsAre("held_labels"));
  EXPECT_THAT(method("afr", options).sees, ElementsAre("held_labels"));
  EXPECT_THAT(method("neurontune", options).sees, ElementsAre("fit_labels", "held_labels"));
  EXPECT_THAT(method("neurontune_half", options).sees, ElementsAre("held_labels"));
  EXPECT_THAT(method("dfr", options).sees,
              ElementsAre("fit_labels", "held_labels", "fit_attributes", "held_attributes"));
}

TEST(ComparedMethods, ThoseOfHeldOutDataLearnFromOneHalfAndChooseOnTheOther) {
  EXPECT_THAT(method("afr", with_splits("val", "train")).selection,
              testing::AllOf(HasSubstr("on val:1/2;"), HasSubstr("accuracy on val:2/2")));
  EXPECT_THAT(method("self", with_splits("val:2/3", "train")).selection,
              testing::AllOf(HasSubstr("val:2/6"), HasSubstr("val:5/6")));
}

TEST(ComparedMethods, SayWhetherTheirSettingsAreTheRecipes) {
  auto options = with_splits("val", "train");
  EXPECT_THAT(method("llr", options).selection, HasSubstr("as in recipe robust, without"));
  options.config.tune.epochs = 3;
  EXPECT_THAT(method("llr", options).selection, HasSubstr("recipe robust with other settings"));
  EXPECT_THAT(method("neurontune", options).selection,
              HasSubstr("recipe paper with other settings"));
}

class ComparedMethodsTest : public TemporaryFolderTest {
 protected:
  ComparedMethodsTest() : options(quick_comparison(folder())) {
    write_world(folder());
    auto erm = world_with_shortcut().erm;
    erm.bias[0] = 9.5;  // one class is less accurate, which a shift of the biases mends
    write_head(folder() / "head.safetensors", erm);
    opened = EmbeddingFolder::open(folder());
  }

  MethodOutcome run(const std::string& name, uint64_t seed = 0) const {
    ComparisonData data(opened, at::kCPU);
    return method(name, options).run(data, seed, {});
  }
  LabelledEmbeddings split(const std::string& name) const {
    const auto& split = opened.split(name);
    return {split.embeddings, split.labels};
  }

  EmbeddingFolder opened;
  CompareOptions options;
};

bool same_head(const Head& one, const Head& other) {
  return one.weight.equal(other.weight) && one.bias.equal(other.bias);
}

TEST_F(ComparedMethodsTest, EachGivesAFiniteHeadOfTheSameShape) {
  for (const auto& name : method_names()) {
    SCOPED_TRACE(name);
    const auto outcome = run(name);
    EXPECT_EQ(outcome.head.weight.sizes(), opened.head().weight.sizes());
    EXPECT_TRUE(is_finite(outcome.head));
    EXPECT_EQ(same_head(outcome.head, opened.head()), name == "erm");
  }
}

TEST_F(ComparedMethodsTest, OnlyTheSeededDependOnTheSeed) {
  for (const auto* name : {"erm", "bias_shift", "afr"}) {
    EXPECT_FALSE(method(name, options).seeded) << name;
    EXPECT_TRUE(same_head(run(name, 1).head, run(name, 2).head)) << name;
  }
  for (const auto* name : {"llr", "llr_val", "dfr", "shortcut_probe", "self", "neurontune",
                           "rebalanced", "rebalanced_masked"}) {
    EXPECT_TRUE(method(name, options).seeded) << name;
    EXPECT_FALSE(same_head(run(name, 1).head, run(name, 2).head)) << name;
  }
}

TEST_F(ComparedMethodsTest, LastLayerRetrainingIsOnTheSplitOfItsName) {
  const auto expected = [&](const char* name) {
    return retrain_last_layer(split(name), opened.head(), options.config.tune, 7);
  };
  EXPECT_TRUE(same_head(run("llr", 7).head, expected("train")));
  EXPECT_TRUE(same_head(run("llr_val", 7).head, expected("val")));
}

TEST_F(ComparedMethodsTest, BiasShiftIsOnTheHeldOutSplit) {
  EXPECT_TRUE(same_head(run("bias_shift").head, shift_biases(split("val"), opened.head())));
}

TEST_F(ComparedMethodsTest, NeurontuneIsThePapersWhateverTheRecipe) {
  const auto paper = with_settings(options.config, {{"", "recipe", "paper"}, {"", "seed", "7"}});
  const auto expected =
      neuron_tune(split("val"), split("train"), opened.head(), neuron_tune_options(paper));
  const auto outcome = run("neurontune", 7);
  EXPECT_TRUE(same_head(outcome.head, expected.head));
  EXPECT_EQ(outcome.chosen, "epoch " + std::to_string(expected.selected_epoch));
}

TEST_F(ComparedMethodsTest, NeurontuneDefaultIsTheConfigs) {
  auto repairing = repair_options(options.config);
  repairing.neurontune.seed = 7;
  const auto expected = repair(split("val"), split("train"), opened.head(), repairing);
  const auto outcome = run("neurontune_default", 7);
  EXPECT_TRUE(same_head(outcome.head, expected.head));
  EXPECT_EQ(outcome.chosen, describe(expected.settings));
}

TEST_F(ComparedMethodsTest, WhatIsChosenByDataIsTold) {
  EXPECT_EQ(run("erm").chosen, "");
  EXPECT_EQ(run("dfr").chosen, "C = 0.1");
  EXPECT_EQ(run("afr").chosen, "γ = 4, λ = 0");
  EXPECT_THAT(run("self").chosen, HasSubstr("learning rate 0.01, "));
  EXPECT_THAT(run("anchored").chosen, testing::StartsWith("λ = "));
  EXPECT_THAT(run("shortcut_probe").chosen, testing::StartsWith("epoch "));
}

TEST_F(ComparedMethodsTest, AnOracleUsesTheSamplesWhoseAttributeIsKnownAndSaysSo) {
  const auto val = opened.split("val");
  auto attributes = val.attributes.clone();
  attributes.slice(0, 0, 10).fill_(-1);
  write_embedding_split(folder(), "val", val.embeddings.clone(), val.labels.clone(), attributes);
  opened = EmbeddingFolder::open(folder());
  EXPECT_THAT(run("dfr").warnings,
              ElementsAre(HasSubstr("val: 290 of 300 samples have a known attribute")));
  EXPECT_THAT(run("llr_val").warnings, IsEmpty());
}

}  // namespace
}  // namespace neurontune
