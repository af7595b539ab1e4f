#include "neurontune/pipeline/run_in_memory.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "neurontune/pipeline/run.h"
#include "neurontune/report/html_report.h"

namespace neurontune {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// The splits of a folder, as if they had never been files.
EmbeddingFolder in_memory(const EmbeddingFolder& folder) {
  std::map<std::string, EmbeddingSplit> splits;
  for (const auto& [name, split] : folder.splits())
    splits[name] = {split.embeddings.clone(), split.labels, split.attributes, {}};
  return EmbeddingFolder::of_tensors(splits, folder.head());
}

class RunInMemoryTest : public TemporaryFolderTest {};

TEST_F(RunInMemoryTest, GivesTheFiguresAndTheHeadOfRun) {
  write_world(folder());
  for (const auto* recipe : {"robust", "paper"}) {
    SCOPED_TRACE(recipe);
    const auto settings = json{{"recipe", recipe}, {"epochs", 2}, {"batches_per_epoch", 20}};
    auto config = method_config(settings.dump());
    const auto report = run_in_memory(config, in_memory(EmbeddingFolder::open(folder())));
    config.embeddings.path = folder().string();
    config.device = "cpu";
    const auto out = folder() / "out" / recipe;
    const auto written = run(config, out, {}, {}, {.written = false});
    EXPECT_TRUE(report.result.head().weight.equal(written.report.result.head().weight));
    auto figures = json::parse(json_text(report)),
         of_files = json::parse(read(out / "result.json"));
    for (const auto* of_file : {"seconds", "files"}) {
      figures.erase(of_file);
      of_files.erase(of_file);
    }
    EXPECT_EQ(figures, of_files);
  }
}

TEST_F(RunInMemoryTest, ASummaryHasTheVerdictAndTheGroupsAlone) {
  write_world(folder());
  const auto config = method_config(R"({"epochs": 2, "batches_per_epoch": 20})");
  const auto report = run_in_memory(config, EmbeddingFolder::open(folder()));
  const auto page = summary_page(json_text(report));
  EXPECT_THAT(page, HasSubstr("Worst group (test)"));
  EXPECT_THAT(page, HasSubstr("id=\"groups\""));
  EXPECT_THAT(page, testing::Not(HasSubstr("id=\"settings\"")));
  EXPECT_ERROR(summary_page("{}"), "result.json: is not as neurontune writes it");
}

TEST(MethodConfig, KeysAreNestedWithDotsOrTheirLastPart) {
  for (const auto* settings :
       {R"({"tune": {"epochs": 3}})", R"({"tune.epochs": 3})", R"({"epochs": 3})"})
    EXPECT_EQ(method_config(settings).tune.epochs, 3) << settings;
  const auto config =
      method_config(R"({"penalties": [2, 0.5], "keep_at_least": "auto", "seed": 4})");
  EXPECT_EQ(config.anchored.penalties, (std::vector<double>{2, 0.5}));
  EXPECT_EQ(config.identify.keep_at_least, std::nullopt);
  EXPECT_EQ(config.seed, 4U);
}

TEST(MethodConfig, TheRecipeIsBelowTheOtherSettings) {
  const auto config =
      method_config(R"({"max_drop": 0.2, "criterion": "guarded_sfit", "recipe": "paper"})");
  EXPECT_EQ(config.recipe, "paper");
  EXPECT_EQ(config.select.criterion, Criterion::guarded_sfit);
  EXPECT_EQ(method_config("{}").recipe, "robust");
}

TEST(MethodConfig, ItsSettingsAreReadBack) {
  const auto config = method_config(R"({"recipe": "paper", "seed": 7, "gammas": [1]})");
  EXPECT_EQ(method_settings(method_config(method_settings(config))), method_settings(config));
  EXPECT_EQ(json::parse(method_settings(config)).at("anchored.gammas"), json({1}));
}

TEST(MethodConfig, WhatIsNoSettingOfTheMethodIsRefused) {
  const auto refused = [](const char* settings, const char* message) {
    EXPECT_ERROR_OF(OptionError, method_config(settings), message);
  };
  refused(R"({"epoch": 3})", "options: unknown setting epoch; the nearest known one is epochs");
  refused(R"({"iterations": 3})", "iterations may be shortcut.iterations or anchored.iterations");
  refused(R"({"threads": 2})", "options: threads is not used with data in memory");
  refused(R"({"epochs": 3, "tune.epochs": 3})", "options: tune.epochs is given twice");
  refused(R"({"epochs": 1.5})", "options: tune.epochs is 1.5, expected a whole number");
  refused(R"({"epochs": 0})", "epochs is 0, expected 1 to 100000");
  refused("[1]", "options");
}

}  // namespace
}  // namespace neurontune
