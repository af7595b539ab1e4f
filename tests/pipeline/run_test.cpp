#include "neurontune/pipeline/run.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "model/linear_module.h"
#include "neurontune/model/erm_model.h"
#include "straight_accuracy.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

/// The paper's method on a folder of embeddings, a few quick epochs.
class RunTest : public TemporaryFolderTest {
 protected:
  RunTest() : data(folder() / "embeddings"), out(folder() / "out") {
    fs::create_directory(data);
    write_world(data);
    config = resolve_config("", {{"--recipe", "recipe", "paper"},
                                 {"--device", "device", "cpu"},
                                 {"--epochs", "tune.epochs", "3"},
                                 {"--batches", "tune.batches_per_epoch", "20"},
                                 {"--rate", "tune.learning_rate", "0.1"},
                                 {"--keep", "identify.keep_at_least", "8"},
                                 {"--embeddings", "embeddings.path", data.string()}});
  }

  json result() const { return json::parse(read(out / "result.json")); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(out))
      if (const auto name = entry.path().filename().string(); !name.starts_with('.'))
        names.push_back(name);
    return names;
  }

  fs::path data, out;
  Config config;
};

void expect_metrics(const json& metrics, const StraightAccuracy& straight) {
  EXPECT_EQ(metrics.at("samples"), straight.all.samples);
  EXPECT_DOUBLE_EQ(metrics.at("mean_accuracy"), straight.all.accuracy());
  EXPECT_DOUBLE_EQ(metrics.at("worst_class_accuracy"), straight.worst_class());
  EXPECT_DOUBLE_EQ(metrics.at("worst_group_accuracy"), straight.worst_group());
}

TEST_F(RunTest, WritesItsFilesAndNoOthers) {
  run(config, out);
  EXPECT_THAT(files(), UnorderedElementsAre("MODEL_CARD.md", "result.json", "head.safetensors",
                                            "spuriousness.safetensors", "trajectory.jsonl",
                                            "config.json", "report.html", "report.json"));
}

TEST_F(RunTest, FiguresAreThoseOfTheWrittenHeadCountedSampleBySample) {
  run(config, out);
  const auto folder = EmbeddingFolder::open(data);
  const auto tuned = read_head(out / "head.safetensors");
  ASSERT_FALSE(tuned.weight.equal(folder.head().weight));
  const auto found = result();
  for (const auto& [name, split] : folder.splits()) {
    SCOPED_TRACE(name);
    expect_metrics(found.at("erm").at(name), straight_accuracy(folder.head(), split));
    expect_metrics(found.at("tuned").at(name), straight_accuracy(tuned, split));
  }
}

TEST_F(RunTest, TheHeadIsTheOneThatTheMethodGives) {
  run(config, out);
  const auto folder = EmbeddingFolder::open(data);
  const auto& val = folder.split("val");
  const auto& train = folder.split("train");
  const auto expected = neuron_tune({val.embeddings, val.labels}, {train.embeddings, train.labels},
                                    folder.head(), neuron_tune_options(config));
  const auto written = read_head(out / "head.safetensors");
  EXPECT_TRUE(written.weight.equal(expected.head.weight));
  EXPECT_TRUE(written.bias.equal(expected.head.bias));
}

TEST_F(RunTest, TheOutcomeSaysWhatTheFilesSay) {
  write("embeddings/names.json", R"({"labels": ["land", "water"]})");
  const auto outcome = run(config, out);
  EXPECT_EQ(outcome.names.label(1), "water");
  EXPECT_EQ(outcome.report.recipe, "paper");
  EXPECT_EQ(outcome.report.criterion, "sfit");
  EXPECT_EQ(outcome.report.device, "cpu");
  auto told = json::parse(json_text(outcome.report)), written = result();
  EXPECT_EQ(told, written);
  EXPECT_THAT(outcome.report.seconds,
              UnorderedElementsAre(testing::Key("load"), testing::Key("tune"),
                                   testing::Key("evaluate"), testing::Key("report")));
}

TEST_F(RunTest, ResultHasTheDigestsOfItsFiles) {
  const auto outcome = run(config, out);
  EXPECT_EQ(outcome.report.files.count("config.json"), 0U) << "it names paths";
  for (const auto* file : {"head.safetensors", "spuriousness.safetensors", "trajectory.jsonl"})
    EXPECT_EQ(outcome.report.files.at(file), content_digest(out / file));
}

TEST_F(RunTest, ItsConfigGivesItAgain) {
  run(config, out);
  run(resolve_config(out / "config.json", {}), folder() / "again");
  EXPECT_EQ(read(out / "head.safetensors"), read(folder() / "again" / "head.safetensors"));
}

TEST_F(RunTest, AttributesReachTheMetricsOnly) {
  run(config, out);
  const auto opened = EmbeddingFolder::open(data);
  for (const auto& [name, split] : opened.splits())
    write_embedding_split(data, name, split.embeddings.clone(), split.labels.clone());
  run(config, folder() / "without");
  EXPECT_EQ(read(out / "head.safetensors"), read(folder() / "without" / "head.safetensors"));
}

TEST_F(RunTest, SaysWhereTuningSeesTheHeldOutSamples) {
  config.splits.identify = "val";
  config.splits.tune = "val:1/2";
  EXPECT_THAT(run(config, out).report.warnings,
              Contains(HasSubstr("the identification and tuning splits share samples of val")));
  config.splits.identify = "val:2/2";
  EXPECT_THAT(run(config, out).report.warnings, Not(Contains(HasSubstr("share samples"))));
}

TEST_F(RunTest, TheDefaultRecipeRunsToo) {
  config = with_settings(config, {{"--recipe", "recipe", "robust"}});
  const auto outcome = run(config, out);
  EXPECT_NE(outcome.report.result.repair(), nullptr);
  const auto folder = EmbeddingFolder::open(data);
  expect_metrics(result().at("tuned").at("test"),
                 straight_accuracy(read_head(out / "head.safetensors"), folder.split("test")));
}

TEST_F(RunTest, ARunThatFailsLeavesTheEarlierOneWhole) {
  run(config, out);
  write_embedding_split(data, "train", at::zeros({4, World::kDimensions}),
                        at::zeros({4}, at::kLong));
  EXPECT_THROW(run(config, out), Error) << "class 1 is absent";
  const auto files = result().at("files").get<std::map<std::string, std::string>>();
  for (const auto& [file, digest] : files) EXPECT_EQ(digest, content_digest(out / file)) << file;
}

TEST_F(RunTest, TheFolderOfTheEmbeddingsIsNotWrittenInto) {
  EXPECT_ERROR_OF(OptionError, run(config, data), "whose head would be overwritten");
}

TEST_F(RunTest, ResultsOfAnotherCommandAreNotWrittenOver) {
  fs::create_directory(out);
  for (const auto* file : {"compare.json", "cache.json"}) {
    write("out/" + std::string(file), "{}");
    EXPECT_ERROR_OF(OptionError, run(config, out), file);
    fs::remove(out / file);
  }
}

TEST_F(RunTest, SettingsAreCheckedBeforeAnythingIsWritten) {
  config.tune.epochs = 0;
  EXPECT_ERROR_OF(OptionError, run(config, out), "epochs is 0");
  EXPECT_FALSE(fs::exists(out));
}

/// The same from a model whose features are the rectified inputs.
class RunFromAModelTest : public RunTest {
 protected:
  RunFromAModelTest() {
    config.embeddings.path = "";
    config.data.path = (folder() / "data").string();
    config.model.path = (folder() / "erm.pt").string();
    fs::create_directory(config.data.path);
    const auto erm = world_with_shortcut().erm;
    testing_support::write_linear_model(config.model.path, erm.weight, erm.bias);
    const auto opened = EmbeddingFolder::open(data);
    for (const auto& [name, split] : opened.splits())
      write_safetensors(fs::path(config.data.path) / (name + ".safetensors"),
                        {{"inputs", split.embeddings}, {"labels", split.labels}});
  }
};

TEST_F(RunFromAModelTest, TheModelIsWrittenWithTheTunedHead) {
  const auto outcome = run(config, out);
  EXPECT_TRUE(outcome.report.verified);
  EXPECT_TRUE(fs::exists(out / "embeddings" / "val.safetensors"));
  const auto model = ErmModel::load(out / "model.pt");
  EXPECT_TRUE(model.head().weight.equal(read_head(out / "head.safetensors").weight));
}

TEST_F(RunFromAModelTest, TheModelThatIsReadIsNotWrittenOver) {
  fs::create_directory(out);
  fs::rename(config.model.path, out / "model.pt");
  config.model.path = (out / "model.pt").string();
  EXPECT_ERROR_OF(OptionError, run(config, out), "which the repaired model would overwrite");
}

TEST_F(RunFromAModelTest, ARunFromEmbeddingsLeavesNoModelOfAnother) {
  run(config, out);
  config.model.path = config.data.path = "";
  config.embeddings.path = data.string();
  run(config, out);
  EXPECT_FALSE(fs::exists(out / "model.pt"));
}

}  // namespace
}  // namespace neurontune
