#include "neurontune/pipeline/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "pipeline/config_json.h"
#include "pipeline/settings.h"

namespace neurontune {
namespace {

class ConfigTest : public TemporaryFolderTest {
 protected:
  Config resolve(const std::string& file, const std::vector<SettingFlag>& flags = {}) const {
    return resolve_config(write("config.json", file), flags);
  }
  void refused(const std::string& file, const std::string& part) const {
    SCOPED_TRACE(file);
    EXPECT_ERROR_OF(OptionError, resolve(file), part);
  }
};

Config with_flag(const std::string& key, const std::string& text) {
  return resolve_config("", {{"--flag", key, text}});
}

TEST(Settings, EveryKeyIsThereOnce) {
  const Config config;
  std::set<std::string> keys;
  for_each_setting(config, [&](const std::string& key, const auto&) {
    EXPECT_TRUE(keys.insert(key).second) << key;
  });
  EXPECT_GT(keys.size(), 50U);
}

TEST(Settings, EveryKeyIsAFieldOfItsOwn) {
  const Config config;
  std::set<const void*> fields;
  for_each_setting(config, [&](const char* key, const auto& field) {
    EXPECT_TRUE(fields.insert(&field).second) << key;
  });
}

TEST_F(ConfigTest, EveryKeyOfItsJsonIsReadBack) {
  const auto json = config_json(resolve_config("", {}));
  EXPECT_EQ(config_json(resolve(json.dump())), json);
}

TEST_F(ConfigTest, DefaultsYieldToTheRecipeThatToTheFileAndThatToFlags) {
  const Config defaults;
  ASSERT_EQ(defaults.identify.keep_at_least, std::nullopt);
  ASSERT_EQ(defaults.select.criterion, Criterion::sfit);
  EXPECT_EQ(resolve("{}").select.criterion, Criterion::inferred_groups) << "robust's";

  const auto recipe = resolve(R"({"recipe": "paper"})");
  EXPECT_EQ(recipe.identify.keep_at_least, 0);
  EXPECT_EQ(recipe.tune.epochs, defaults.tune.epochs) << "the recipe does not name it";

  const std::string file = R"({"recipe": "paper", "identify": {"keep_at_least": 3},
                               "select": {"criterion": "guarded_sfit"}})";
  EXPECT_EQ(resolve(file).identify.keep_at_least, 3);

  const auto flag = resolve(file, {{"--keep", "identify.keep_at_least", "5"}});
  EXPECT_EQ(flag.identify.keep_at_least, 5);
  EXPECT_EQ(flag.select.criterion, Criterion::guarded_sfit) << "the file's";
  EXPECT_EQ(flag.recipe, "paper");
}

TEST_F(ConfigTest, ARecipeOfTheFlagsIsBelowTheFile) {
  const auto config =
      resolve(R"({"identify": {"keep_at_least": 3}})", {{"--recipe", "recipe", "paper"}});
  EXPECT_EQ(config.recipe, "paper");
  EXPECT_EQ(config.select.criterion, Criterion::sfit);
  EXPECT_EQ(config.identify.keep_at_least, 3);
}

TEST_F(ConfigTest, AFileOfOneRecipeIsNotRunUnderAnother) {
  const std::vector<SettingFlag> flags = {{"--recipe", "recipe", "paper"}};
  EXPECT_ERROR_OF(OptionError, resolve(R"({"recipe": "guarded"})", flags),
                  "--recipe is paper, but " + (folder() / "config.json").string() +
                      " was made with recipe \"guarded\"");
  EXPECT_NO_THROW(resolve(R"({"recipe": "paper"})", flags));
}

TEST_F(ConfigTest, TheDatasTransformIsBelowTheFile) {
  write("metadata.csv", "");
  write("transform.json", R"({"resize": [64], "crop": [32]})");
  const SettingFlag data{"--data", "data.path", folder().string()};
  EXPECT_EQ(resolve("{}", {data}).data.transform.resize, std::vector<int64_t>({64}));
  const auto config = resolve(R"({"data": {"transform": {"resize": [48]}}})", {data});
  EXPECT_EQ(config.data.transform.resize, std::vector<int64_t>({48}));
  EXPECT_EQ(config.data.transform.crop, std::vector<int64_t>({32}));
}

TEST_F(ConfigTest, TheModelsTransformIsOverTheDatas) {
  std::filesystem::create_directory(folder() / "data");
  std::filesystem::create_directory(folder() / "repaired");
  write("data/metadata.csv", "");
  write("repaired/transform.json", R"({"resize": [64], "crop": [32]})");
  const std::vector<SettingFlag> flags = {
      {"--data", "data.path", (folder() / "data").string()},
      {"--model", "model.path", (folder() / "repaired" / "model.pt").string()}};
  std::vector<std::string> told;
  const auto config =
      resolve_config("", flags, [&](LogLevel, std::string_view text) { told.emplace_back(text); });
  EXPECT_EQ(config.data.transform.resize, std::vector<int64_t>({64}));
  EXPECT_EQ(config.data.transform.mean, ImageTransform().mean) << "left out";
  EXPECT_THAT(told, testing::ElementsAre(testing::HasSubstr("repaired/transform.json")));
  EXPECT_EQ(resolve_config("", {flags[0]}).data.transform.resize, std::vector<int64_t>({256}));

  write("data/transform.json", R"({"crop": [16]})");
  const auto both = resolve(R"({"data": {"format": "waterbirds"}})", flags);
  EXPECT_EQ(both.data.transform.resize, std::vector<int64_t>({64})) << "over the format's";
  EXPECT_EQ(both.data.transform.crop, std::vector<int64_t>({32})) << "over the data's";
}

TEST_F(ConfigTest, OfAFlagGivenTwiceTheLastCounts) {
  EXPECT_EQ(resolve_config("", {{"--seed", "seed", "1"}, {"--seed", "seed", "2"}}).seed, 2U);
}

TEST_F(ConfigTest, AnUnknownKeyIsNamedWithTheNearest) {
  const auto source = (folder() / "config.json").string();
  refused(R"({"tune": {"epoch": 3}})",
          source + ": unknown key tune.epoch; the nearest known one is tune.epochs");
  refused(R"({"sede": 3})", "unknown key sede; the nearest known one is seed");
  EXPECT_ERROR_OF(OptionError, with_flag("select.gard", "1"),
                  "--flag: unknown key select.gard; the nearest known one is select.guard");
}

TEST_F(ConfigTest, AYamlFileSaysTheSameAsJson) {
  const auto json = resolve(R"({"recipe": "paper", "seed": 7, "model": {"path": "12"},
      "tune": {"epochs": 3, "learning_rate": 0.5}, "data": {"transform": {"mean": [0.5]}}})",
                            {});
  const auto yaml = resolve_config(write("config.yaml",
                                         "recipe: paper\nseed: 7\nmodel: {path: '12'}\n"
                                         "tune:\n  epochs: 3\n  learning_rate: 5e-1\n"
                                         "data: {transform: {mean: [0.5]}}\n"),
                                   {});
  EXPECT_EQ(config_json(yaml), config_json(json));
  const auto of = [&](const std::string& text) {
    return resolve_config(write("wrong.yml", text), {});
  };
  EXPECT_ERROR_OF(OptionError, of("tune: {epoch: 3}"),
                  "wrong.yml: unknown key tune.epoch; the nearest known one is tune.epochs");
  EXPECT_ERROR_OF(OptionError, of("tune: {epochs: '3'}"),
                  "wrong.yml: tune.epochs is \"3\", expected a whole number");
  EXPECT_ERROR_OF(OptionError, of("seed: 1\nseed: 1\n"), "the key seed is given twice");
}

TEST_F(ConfigTest, AnObjectWhereAValueBelongsIsNoKey) {
  refused(R"({"seed": {"value": 3}})", "unknown key seed.value");
  refused(R"({"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}})", "unknown key a.b.c.d.e");
}

TEST_F(ConfigTest, AValueOfAnotherTypeIsNamedWithItsKeyAndSource) {
  refused(R"({"tune": {"epochs": "many"}})",
          "config.json: tune.epochs is \"many\", expected a whole number");
  EXPECT_ERROR_OF(OptionError, with_flag("tune.epochs", "many"),
                  "--flag: tune.epochs is \"many\", expected a whole number");
}

TEST_F(ConfigTest, AValueOutOfRangeIsNamedWithItsFileUnlessItIsAFlags) {
  const auto file = write("low.json", R"({"tune": {"epochs": 0}})");
  EXPECT_ERROR_OF(OptionError, resolve_config(file, {}), "low.json: epochs is 0");
  EXPECT_NO_THROW(resolve_config(file, {{"--epochs", "tune.epochs", "3"}}));
  try {
    resolve_config(file, {{"--epochs", "tune.epochs", "-1"}});
    FAIL();
  } catch (const OptionError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("epochs is -1"));
  }
}

TEST_F(ConfigTest, WhatIsNoJsonObjectIsRefused) {
  refused("{", "config.json: is not JSON");
  refused("[]", "config.json: is not a JSON object");
  EXPECT_ERROR(resolve_config(folder() / "none.json", {}), "none.json");
}

TEST(Config, ValuesOutOfRangeAreRefusedByName) {
  EXPECT_ERROR_OF(OptionError, with_flag("data.batch_size", "0"), "data.batch_size is 0");
  EXPECT_ERROR_OF(OptionError, with_flag("threads", "-1"), "threads is -1, expected 0 to");
  EXPECT_ERROR_OF(OptionError, with_flag("threads", "1000000"), "threads is 1000000");
  EXPECT_ERROR_OF(OptionError, with_flag("tune.momentum", "1"), "momentum is 1");
  EXPECT_ERROR_OF(OptionError, with_flag("splits.tune", "val:3/2"), "val:3/2");
  EXPECT_ERROR_OF(OptionError, with_flag("splits.identify", ""), "split ``");
  EXPECT_ERROR_OF(OptionError, with_flag("shortcut.folds", "1"), "folds is 1");
  EXPECT_ERROR_OF(OptionError, with_flag("anchored.penalties", "0"), "penalties");
  EXPECT_ERROR_OF(OptionError, with_flag("embeddings.arrays", "feats=x"), "feats");
}

TEST(Config, SettingsAreChangedInTheirOrderARecipeWithAllThatItNames) {
  const auto before = with_flag("identify.keep_at_least", "7");
  const auto recipe_last = with_settings(before, {{"--sweep", "recipe", "paper"}});
  EXPECT_EQ(recipe_last.identify.keep_at_least, 0);
  EXPECT_EQ(recipe_last.recipe, "paper");
  const auto recipe_first = with_settings(
      before, {{"--sweep", "recipe", "paper"}, {"--sweep", "identify.keep_at_least", "9"}});
  EXPECT_EQ(recipe_first.identify.keep_at_least, 9);
  EXPECT_EQ(recipe_first.select.criterion, Criterion::sfit);
  EXPECT_ERROR_OF(OptionError, with_settings(before, {{"--sweep", "tune.momentum", "2"}}),
                  "momentum is 2");
}

TEST(Config, ItsPartsGoToTheMethods) {
  Config config;
  config.seed = 3;
  config.identify.threshold = 4;
  config.tune.epochs = 5;
  config.select.guard = 0.5;
  config.shortcut.folds = 6;
  config.anchored.gammas = {7};
  const auto options = repair_options(config);
  EXPECT_EQ(options.neurontune.seed, 3U);
  EXPECT_EQ(options.neurontune.identify.threshold, 4);
  EXPECT_EQ(options.neurontune.tune.epochs, 5);
  EXPECT_EQ(options.neurontune.select.guard, 0.5);
  EXPECT_EQ(options.shortcut.folds, 6);
  EXPECT_EQ(options.anchored.gammas, std::vector<double>({7}));
}

TEST(Device, IsNamedAutoCpuOrCuda) {
  EXPECT_EQ(resolve_device("cpu"), at::Device(at::kCPU));
  EXPECT_EQ(resolve_device("auto").is_cuda(), at::hasCUDA());
  for (const auto* text : {"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:x", "cuda:100", "cuda:-1"})
    EXPECT_ERROR_OF(OptionError, resolve_device(text), "expected auto, cpu, cuda or cuda:N");
}

TEST(Device, ThatIsNotThereIsAnError) {
  if (at::hasCUDA()) {
    EXPECT_EQ(resolve_device("cuda"), at::Device(at::kCUDA, 0));
  } else {
    EXPECT_ERROR(resolve_device("cuda"), "device is cuda, but this machine");
  }
}

}  // namespace
}  // namespace neurontune
