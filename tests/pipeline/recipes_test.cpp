#include "pipeline/recipes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "error_matchers.h"
#include "neurontune/pipeline/config.h"
#include "pipeline/config_json.h"

namespace neurontune {
namespace {

Config with_recipe(const std::string& name) {
  return resolve_config("", {{"--recipe", "recipe", name}});
}

TEST(Recipes, AreKnownByTheirNames) {
  EXPECT_THAT(recipe_names(), testing::ElementsAre("robust", "guarded", "paper"));
  for (const auto& name : recipe_names())
    EXPECT_EQ(nlohmann::json::parse(recipe_text(name)).at("recipe"), name);
}

TEST(Recipes, OfAnotherNameThereIsNone) {
  EXPECT_ERROR_OF(OptionError, recipe_text("rubust"),
                  "recipe is rubust, expected one of robust, guarded, paper");
}

TEST(Recipes, RobustIsWhatAConfigWithoutARecipeHas) {
  EXPECT_EQ(config_json(with_recipe("robust")), config_json(resolve_config("", {})));
}

TEST(Recipes, RobustTestsDimensionsAndInfersGroups) {
  const auto robust = with_recipe("robust");
  EXPECT_EQ(robust.select.criterion, Criterion::inferred_groups);
  EXPECT_EQ(robust.identify.significance, Significance::plain);
  EXPECT_EQ(robust.identify.keep_at_least, std::nullopt);
}

TEST(Recipes, GuardedIsThePapersMethodWithAGuardAndSomeDimensionsKept) {
  const auto guarded = with_recipe("guarded");
  EXPECT_EQ(guarded.select.criterion, Criterion::guarded_sfit);
  EXPECT_EQ(guarded.identify.significance, Significance::none);
  EXPECT_EQ(guarded.identify.keep_at_least, std::nullopt);
}

TEST(Recipes, PaperIsThePapersMethod) {
  const auto paper = with_recipe("paper");
  EXPECT_EQ(paper.select.criterion, Criterion::sfit);
  EXPECT_EQ(paper.identify.significance, Significance::none);
  EXPECT_EQ(paper.identify.keep_at_least, 0);
  EXPECT_EQ(paper.tune.start, Start::erm);
  EXPECT_EQ(paper.tune.refresh, 0);
}

TEST(Recipes, EachFlagsWhatFiresHigherOnMistakesAndZeroesIt) {
  for (const auto& name : recipe_names()) {
    SCOPED_TRACE(name);
    const auto config = with_recipe(name);
    EXPECT_EQ(config.identify.threshold, 0);
    EXPECT_EQ(config.identify.threshold_quantile, std::nullopt);
    EXPECT_EQ(config.identify.aggregate, Aggregate::union_);
    EXPECT_EQ(config.identify.activation, Activation::raw);
    EXPECT_EQ(config.identify.mask_value, 0);
  }
}

/// What a recipe names wins over what was set before it, whichever recipe that was of.
TEST(Recipes, EachSetsAllInWhichAnotherDiffers) {
  for (const auto& first : recipe_names())
    for (const auto& second : recipe_names()) {
      const auto changed = with_settings(with_recipe(first), {{"--sweep", "recipe", second}});
      EXPECT_EQ(config_json(changed), config_json(with_recipe(second))) << first << " " << second;
    }
}

}  // namespace
}  // namespace neurontune
