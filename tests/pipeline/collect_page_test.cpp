#include "pipeline/collect_page.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/page_of_run.h"
#include "pipeline/thumbnails.h"
#include "rows_dataset.h"
#include "straight_accuracy.h"
#include "tensors.h"
#include "worlds.h"

namespace neurontune {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::Pointwise;
using testing::StartsWith;
using Group = std::pair<int64_t, int64_t>;
using CollectPageTest = PageOfRunTest;

at::Tensor column(const std::vector<float>& values) { return at::tensor(values).unsqueeze(1); }

std::vector<int64_t> labels_of(const std::vector<PageData::Sheet>& sheets) {
  std::vector<int64_t> labels;
  for (const auto& sheet : sheets) labels.push_back(sheet.label);
  return labels;
}

std::vector<Group> groups_of(const std::vector<PageData::Sheet>& sheets) {
  std::vector<Group> groups;
  for (const auto& sheet : sheets) groups.emplace_back(sheet.label, sheet.value.value());
  return groups;
}

TEST_F(CollectPageTest, NamesAndSizesAreThoseOfTheFolder) {
  hold_out(at::zeros({5, 3}), {0, 0, 1, 1, 1}, {0, 2, -1, 1, 0});
  erm = by_sign(3);
  names = {{"land"}, {"forest", "sea"}};
  config.splits.identify = "val:1/2";
  const auto page = collect();
  EXPECT_THAT(page.labels, ElementsAre("land", "y=1"));
  EXPECT_THAT(page.attributes, ElementsAre("forest", "sea", "a=2"));
  EXPECT_EQ(page.identify, "val:1/2");
  EXPECT_EQ(page.samples, 3) << "one of class 0 and two of class 1";
  EXPECT_EQ(page.dimensions, 3);
}

TEST_F(CollectPageTest, TestIsShownOrElseTheLastSplit) {
  hold_out(at::zeros({1, 1}), {0});
  splits["train"] = splits["test"] = splits["val"];
  EXPECT_EQ(collect().shown, "test");
  splits.erase("test");
  EXPECT_EQ(collect().shown, "val");
}

TEST_F(CollectPageTest, ASampleHasItsPredictionsBeforeAndAfter) {
  hold_out(column({1, -1, 2}), {1, 1, 0}, {1, -1, 0});
  splits["val"].ids = {"a", "b", "c"};
  tuned = {-erm.weight, {}};
  const auto sheets = collect().sheets;
  ASSERT_EQ(labels_of(sheets), (std::vector<int64_t>{0, 1}));
  ASSERT_THAT(ids_of(sheets[0].samples), ElementsAre("c"));
  ASSERT_THAT(ids_of(sheets[1].samples), ElementsAre("b", "a"));
  const auto& mistaken = sheets[1].samples[0];
  EXPECT_EQ(mistaken.label, 1);
  EXPECT_EQ(mistaken.before, 0);
  EXPECT_EQ(mistaken.after, 1);
  EXPECT_EQ(mistaken.attribute, std::nullopt) << "it is not known";
  EXPECT_EQ(mistaken.belief, std::nullopt);
  const auto& correct = sheets[1].samples[1];
  EXPECT_EQ(correct.before, 1);
  EXPECT_EQ(correct.after, 0);
  EXPECT_EQ(correct.attribute, 1);
  EXPECT_EQ(sheets[0].samples[0].attribute, 0);
}

TEST_F(CollectPageTest, SamplesOfAPartHaveTheirOwnIds) {
  hold_out(column({-1, -1, -1, 1}), {0, 0, 0, 1});
  splits["val"].ids = {"a", "b", "c", "d"};
  config.splits.identify = "val:2/2";
  const auto sheets = collect().sheets;
  ASSERT_EQ(labels_of(sheets), std::vector<int64_t>{0});
  EXPECT_THAT(ids_of(sheets[0].samples), ElementsAre("b"));
}

TEST_F(CollectPageTest, SamplesOfAPartWithoutIdsAreCalledByTheirRowOfTheSplit) {
  hold_out(column({-1, 1, -2, 2, -3}), {0, 1, 0, 1, 0});
  config.splits.identify = "val:2/2";
  const auto sheets = collect().sheets;
  ASSERT_EQ(labels_of(sheets), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(ids_of(sheets[0].samples), row_names({2}));
  EXPECT_EQ(ids_of(sheets[1].samples), row_names({3}));
}

TEST_F(CollectPageTest, AClassShowsItsSurestMistakesThenItsSurestCorrectSamples) {
  std::vector<float> values;
  for (int value = 1; value <= 14; ++value) values.push_back(static_cast<float>(value));
  for (int value = 1; value <= 20; ++value) values.push_back(static_cast<float>(-value));
  std::vector<int64_t> labels(values.size(), 0);
  values.insert(values.end(), {-1, -2, 1, 2, 3});
  labels.insert(labels.end(), 5, 1);
  hold_out(column(values), labels);
  const auto sheets = collect().sheets;
  ASSERT_EQ(labels_of(sheets), (std::vector<int64_t>{0, 1}));
  auto expected = down(13, 2);
  const auto correct = down(33, 22);
  expected.insert(expected.end(), correct.begin(), correct.end());
  EXPECT_EQ(ids_of(sheets[0].samples), row_names(expected));
  EXPECT_EQ(sheets[0].count, 34);
  EXPECT_EQ(sheets[0].value, std::nullopt);
  EXPECT_EQ(ids_of(sheets[1].samples), row_names({35, 34, 38, 37, 36}));
  EXPECT_EQ(sheets[1].count, 5);
}

TEST_F(CollectPageTest, FewMistakesLeaveRoomForCorrectSamples) {
  hold_out(at::cat({at::ones({2, 1}), -at::ones({30, 1})}), std::vector<int64_t>(32, 0));
  auto expected = down(23, 0);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(ids_of(collect().sheets.at(0).samples), row_names(expected)) << "24, the earlier ones";
}

TEST_F(CollectPageTest, SheetsAreOfTheFirstSixteenClassesThatHaveSamples) {
  const std::vector<int64_t> labels = {0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  hold_out(at::eye(17, 18), labels);
  erm = by_largest(18, 18);
  EXPECT_EQ(labels_of(collect().sheets), std::vector<int64_t>(labels.begin(), labels.end() - 1));
}

TEST_F(CollectPageTest, InferredGroupsAreShownFromTheWorstOn) {
  hold_out(column({-1, 1, 1, -1, -1, 1, 1, -1}), {0, 0, 0, 0, 1, 1, 0, 0});
  infer({0, 1, 3, 4, 5, 6, 7},
        matrix({{0.9F, 0.1F},
                {0.25F, 0.75F},
                {0, 1},
                {0.6F, 0.4F},
                {0, 1},
                {0.4F, 0.6F},
                {0.45F, 0.55F}}),
        matrix({{0.9F, 0.1F}, {0.3F, 0.8F}}));
  const auto sheets = collect().sheets;
  ASSERT_THAT(groups_of(sheets), ElementsAre(Pair(0, 1), Pair(1, 0), Pair(1, 1), Pair(0, 0)));
  EXPECT_EQ(ids_of(sheets[0].samples), row_names({1, 6, 3, 7})) << "the mistakes first";
  EXPECT_EQ(sheets[0].count, 4) << "row 2 is not trusted";
  EXPECT_EQ(sheets[0].samples[0].belief, 0.75);
  EXPECT_EQ(sheets[0].samples[2].belief, 1);
  EXPECT_EQ(ids_of(sheets[1].samples), row_names({4}));
  EXPECT_EQ(ids_of(sheets[2].samples), row_names({5}));
  EXPECT_EQ(ids_of(sheets[3].samples), row_names({0}));
}

TEST_F(CollectPageTest, AGroupShowsItsSurestMembersThoughMistakesAreAmongTheOthers) {
  auto values = at::full({30, 1}, -1.0F);
  for (const int64_t mistake : {0, 10}) values[mistake] = 1;
  hold_out(values, std::vector<int64_t>(30, 0));
  auto trusted = down(29, 0);
  std::reverse(trusted.begin(), trusted.end());
  const auto other = at::arange(30, at::kDouble) * 0.01 + 0.6;
  infer(trusted, at::stack({1 - other, other}, 1));
  const auto sheets = collect().sheets;
  ASSERT_THAT(groups_of(sheets), ElementsAre(Pair(0, 1))) << "the others have no member";
  auto expected = down(29, 6);
  expected.erase(std::find(expected.begin(), expected.end(), 10));
  expected.insert(expected.begin(), 10);
  EXPECT_EQ(ids_of(sheets[0].samples), row_names(expected));
  EXPECT_EQ(sheets[0].count, 30);
}

/// A sample of every inferred group of so many classes, by label, then value.
class CollectPageOfManyGroupsTest : public CollectPageTest {
 protected:
  void infer_all(int64_t classes, const at::Tensor& accuracies) {
    const auto groups = at::arange(classes * classes);
    erm = by_largest(classes, classes);
    const auto labels = groups.div(classes, "floor");
    splits["val"] = {at::eye(classes).index_select(0, labels), labels, {}, {}};
    infer(row_numbers(classes * classes), at::eye(classes).repeat({classes, 1}), accuracies);
  }

  static std::vector<int64_t> row_numbers(int64_t count) {
    auto rows = down(count - 1, 0);
    std::reverse(rows.begin(), rows.end());
    return rows;
  }
};

TEST_F(CollectPageOfManyGroupsTest, UpToSixteenAreShownInTheirOrderWhereNoneIsWorst) {
  infer_all(4, {});
  std::vector<Group> all;
  for (int64_t label = 0; label < 4; ++label)
    for (int64_t value = 0; value < 4; ++value) all.emplace_back(label, value);
  EXPECT_EQ(groups_of(collect().sheets), all);
}

TEST_F(CollectPageOfManyGroupsTest, OfMoreTheWorstEightWithTheirClassesUsualOnes) {
  auto accuracies = (at::arange(25, at::kFloat) * 0.01 + 0.1).view({5, 5});
  accuracies.fill_diagonal_(0.9);
  accuracies[1][1] = 0.05;
  infer_all(5, accuracies);
  EXPECT_THAT(groups_of(collect().sheets),
              ElementsAre(Pair(1, 1), Pair(0, 1), Pair(0, 2), Pair(0, 3), Pair(0, 4), Pair(1, 0),
                          Pair(1, 2), Pair(1, 3), Pair(0, 0)));
}

TEST_F(CollectPageTest, ARepairThatInferredNoGroupsShowsClasses) {
  hold_out(column({-1, 1}), {0, 1});
  repair.emplace();
  const auto page = collect();
  EXPECT_EQ(labels_of(page.sheets), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(page.sheets[0].value, std::nullopt);
}

/// A world with a shortcut, and three epochs whose heads are drawn at random.
class CollectPageEpochsTest : public CollectPageTest {
 protected:
  CollectPageEpochsTest() {
    uint64_t seed = 1;
    for (const auto* name : {"val", "test"}) {
      const auto world = world_with_shortcut(seed++, 200);
      splits[name] = {world.embeddings, world.labels, world.attributes, {}};
      erm = world.erm;
    }
    auto random = at::detail::createCPUGenerator(3);
    for (int64_t epoch = 1; epoch <= 3; ++epoch) {
      Checkpoint checkpoint;
      checkpoint.epoch = epoch;
      checkpoint.head = {at::randn({2, World::kDimensions}, random), at::randn({2}, random)};
      found.trajectory.push_back(checkpoint);
    }
  }

  std::vector<double> worst_groups_of(const std::string& split) const {
    std::vector<double> worst;
    for (const auto& checkpoint : found.trajectory)
      worst.push_back(straight_accuracy(checkpoint.head, splits.at(split)).worst_group());
    return worst;
  }
};

TEST_F(CollectPageEpochsTest, HaveTheTrueWorstGroupOfTheShownSplit) {
  ASSERT_NE(worst_groups_of("test"), worst_groups_of("val"));
  const auto page = collect();
  EXPECT_THAT(page.worst_group_of_epochs, Pointwise(DoubleEq(), worst_groups_of("test")));
  EXPECT_THAT(page.worst_inferred_group_of_epochs, IsEmpty());
  splits.erase("test");
  EXPECT_THAT(collect().worst_group_of_epochs, Pointwise(DoubleEq(), worst_groups_of("val")));
}

TEST_F(CollectPageEpochsTest, WithoutAttributesOfThatSplitHaveNone) {
  splits["test"].attributes = at::Tensor();
  EXPECT_THAT(collect().worst_group_of_epochs, IsEmpty());
}

TEST_F(CollectPageEpochsTest, HaveTheWorstInferredGroupOfTheTrustedSamples) {
  const auto& val = splits["val"];
  std::vector<int64_t> trusted, labels;
  for (int64_t row = 0; row < 200; row += 3) {
    trusted.push_back(row);
    labels.push_back(val.labels[row].item<int64_t>());
  }
  auto random = at::detail::createCPUGenerator(4);
  const auto beliefs =
      at::rand({static_cast<int64_t>(trusted.size()), 2}, random, at::kDouble).softmax(1);
  infer(trusted, beliefs);
  std::vector<double> expected;
  for (const auto& checkpoint : found.trajectory) {
    const auto all = straight_predictions(checkpoint.head, val.embeddings);
    std::vector<int64_t> predicted;
    for (const auto row : trusted) predicted.push_back(all[static_cast<std::size_t>(row)]);
    expected.push_back(
        inferred_accuracy(longs(predicted), longs(labels), beliefs, 2).worst_accuracy());
  }
  EXPECT_THAT(collect().worst_inferred_group_of_epochs, Pointwise(DoubleEq(), expected));
}

TEST_F(CollectPageTest, SamplesHaveTheTextThatTheDataHaveUnderTheirIds) {
  DataFolder data;
  const auto tokens = long_matrix({{0}, {1}, {2}});
  const auto ones = at::ones_like(tokens);
  data.splits.push_back({"val", std::make_unique<RowsDataset>(at::stack({tokens, ones, ones}, 2))});
  data.splits.push_back({"test", std::make_unique<RowsDataset>(at::stack({ones, ones, ones}, 2))});
  source.data = &data;
  source.vocabulary = Vocabulary::read(write("vocab.txt", "land\nwater\nbird\n"));
  hold_out(column({-3, -2, -1}), {0, 0, 0});
  splits["val"].ids = {"file 2", "elsewhere", "file 0"};
  config.splits.identify = "val:1/1";
  const auto samples = collect().sheets.at(0).samples;
  ASSERT_THAT(ids_of(samples), ElementsAre("file 2", "elsewhere", "file 0"));
  EXPECT_EQ(samples[0].text, "bird");
  EXPECT_EQ(samples[1].text, "");
  EXPECT_EQ(samples[2].text, "land");
}

TEST_F(CollectPageTest, SamplesHaveTheirImagesUnlessTheseArePrivate) {
  for (const int grey : {50, 200})
    write_png(folder() / (std::to_string(grey) + ".png"), at::full({3, 4, 4}, grey, at::kByte));
  write("metadata.csv", "img_filename,y,split\n50.png,0,val\n200.png,0,val\n");
  const auto data = open_data(folder(), {});
  const auto& dataset = data.split("val");
  source.data = &data;
  hold_out(column({-2, -1}), {0, 0});
  splits["val"].ids = {dataset.ids().at(1), dataset.ids().at(0)};
  const auto samples = collect().sheets.at(0).samples;
  Thumbnails thumbnails(&dataset);
  EXPECT_THAT(samples.at(0).image, StartsWith("data:image/jpeg"));
  EXPECT_EQ(samples[0].image, thumbnails.of(1));
  EXPECT_EQ(samples.at(1).image, thumbnails.of(0));
  EXPECT_NE(samples[0].image, samples[1].image);

  source.images = false;
  EXPECT_EQ(collect().sheets.at(0).samples.at(0).image, "");
}

}  // namespace
}  // namespace neurontune
