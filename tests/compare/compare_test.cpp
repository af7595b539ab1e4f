#include "neurontune/compare/compare.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compare/quick_comparison.h"
#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "error_matchers.h"
#include "neurontune/compare/compare_in_memory.h"
#include "straight_accuracy.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CompareTest : public TemporaryFolderTest {
 protected:
  CompareTest() : data(folder() / "embeddings"), out(folder() / "out") {
    fs::create_directory(data);
    write_world(data);
    options = quick_comparison(data);
    options.methods = {"erm", "llr"};
  }

  ComparisonReport run() const { return compare(options, out); }
  void without_attributes(const std::string& name) const {
    const auto split = EmbeddingFolder::open(data).split(name);
    write_embedding_split(data, name, split.embeddings.clone(), split.labels.clone());
  }

  fs::path data, out;
  CompareOptions options;
};

std::vector<std::string> names(const ComparisonReport& report) {
  std::vector<std::string> names;
  for (const auto& method : report.methods) names.push_back(method.method);
  return names;
}

TEST_F(CompareTest, RunsTheMethodsThatWereNamedWithEverySeed) {
  options.config.seed = 5;
  const auto report = run();
  EXPECT_THAT(names(report), ElementsAre("erm", "llr"));
  EXPECT_THAT(report.seeds, ElementsAre(5, 6));
  for (const auto& method : report.methods)
    EXPECT_EQ(find(method.test, "mean_accuracy")->values.size(), 2U) << method.method;
  EXPECT_EQ(report.recipe, "robust");
  EXPECT_EQ(report.identify, "val");
  EXPECT_EQ(report.tune, "train");
}

TEST_F(CompareTest, FiguresAreThoseOfCountingSampleBySample) {
  const auto report = run();
  const auto opened = EmbeddingFolder::open(data);
  const auto straight = straight_accuracy(opened.head(), opened.split("test"));
  const auto& erm = report.methods.at(0);
  EXPECT_DOUBLE_EQ(find(erm.test, "mean_accuracy")->mean, straight.all.accuracy());
  EXPECT_DOUBLE_EQ(find(erm.test, "worst_group_accuracy")->mean, straight.worst_group());
  EXPECT_EQ(find(erm.test, "worst_group_accuracy")->standard_deviation, 0);
}

TEST_F(CompareTest, OfDataInMemoryItSaysTheSame) {
  const auto of_files = run();
  auto report = compare_in_memory(options, EmbeddingFolder::open(data));
  for (std::size_t i = 0; i < report.methods.size(); ++i)
    report.methods[i].seconds = of_files.methods[i].seconds;
  EXPECT_EQ(json_text(report) + "\n", read(out / "compare.json"));
}

TEST_F(CompareTest, WritesItsFiles) {
  const auto report = run();
  EXPECT_EQ(read(out / "compare.json"), json_text(report) + "\n");
  EXPECT_EQ(read(out / "compare.csv"), comparison_csv(report));
  EXPECT_EQ(read(out / "compare.md"), comparison_markdown(report));
  EXPECT_EQ(read(out / "config.json"), json_text(options.config) + "\n");
}

TEST_F(CompareTest, OraclesAreLeftOutWhereASplitOfTheirsHasNoAttributes) {
  options.methods = {};
  options.seeds = 1;
  without_attributes("train");
  const auto report = run();
  EXPECT_THAT(names(report), Not(Contains("dfr")));
  EXPECT_THAT(names(report), Contains("dfr_val"));
  EXPECT_THAT(report.warnings, Contains("dfr is left out, since it sees the attributes of train, "
                                        "which has none"));
  EXPECT_EQ(report.methods.size(), method_names().size() - 1);
}

TEST_F(CompareTest, AnOracleThatWasNamedFailsInstead) {
  without_attributes("train");
  options.methods = {"erm", "dfr"};
  const auto report = run();
  EXPECT_THAT(report.methods.at(1).failure, HasSubstr("the split train has no attributes"));
  EXPECT_THAT(report.methods[1].test, IsEmpty());
  EXPECT_THAT(report.warnings, Contains(HasSubstr("dfr could not be run: the split train has no")));
}

TEST_F(CompareTest, WithoutAnyResultThereIsAnError) {
  without_attributes("train");
  options.methods = {"dfr"};
  EXPECT_ERROR(run(), "no method could be run, the first because the split train has no");
  EXPECT_FALSE(fs::exists(out / "compare.json"));
}

TEST_F(CompareTest, AHeadThrownToInfinityIsAFailure) {
  options.config.tune.learning_rate = 1e30;
  const auto report = run();
  EXPECT_THAT(report.methods.at(1).failure, HasSubstr("its head has become infinite"));
}

TEST_F(CompareTest, TellsHowFarEachSeedIs) {
  std::set<std::string> stages;
  compare(options, out, [&](std::string_view stage, int64_t done, int64_t total) {
    EXPECT_LE(done, total);
    stages.emplace(stage);
  });
  EXPECT_THAT(stages, ElementsAre("llr 0", "llr 1"));
}

TEST_F(CompareTest, SplitsThatAreNotThereAreErrors) {
  fs::remove(data / "test.safetensors");
  EXPECT_ERROR(run(), "no split `test`");
}

TEST_F(CompareTest, ResultsOfAnotherCommandAreNotWrittenOver) {
  fs::create_directory(out);
  write("out/result.json", "{}");
  EXPECT_ERROR_OF(OptionError, run(), "result.json");
}

TEST(CompareOptions, AnUnknownMethodIsNamedWithTheNearest) {
  CompareOptions options;
  options.methods = {"erm", "lrr"};
  EXPECT_ERROR_OF(OptionError, options.validate(),
                  "unknown method lrr; the nearest known one is llr");
}

TEST(CompareOptions, EachPartIsChecked) {
  EXPECT_NO_THROW(CompareOptions().validate());
  const auto refused = [](const std::function<void(CompareOptions&)>& change,
                          const std::string& part) {
    CompareOptions options;
    change(options);
    EXPECT_ERROR_OF(OptionError, options.validate(), part);
  };
  refused([](auto& options) { options.seeds = 0; }, "seeds is 0");
  refused([](auto& options) { options.config.tune.epochs = 0; }, "epochs is 0");
  refused([](auto& options) { options.afr.steps = 0; }, "steps is 0");
  refused([](auto& options) { options.dfr.refits = 0; }, "refits is 0");
  refused([](auto& options) { options.self.batch_size = 0; }, "batch_size is 0");
  refused([](auto& options) { options.shortcut_probe.prompts = 0; }, "prompts is 0");
}

}  // namespace
}  // namespace neurontune
