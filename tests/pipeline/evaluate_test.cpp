#include "neurontune/pipeline/evaluate.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "embedding_files.h"
#include "on_device.h"
#include "rows_dataset.h"
#include "straight_accuracy.h"
#include "tensors.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A folder of embeddings with a head of three classes.
class EvaluateTest : public TemporaryFolderTest {
 protected:
  EvaluateTest() { write_head(folder() / "head.safetensors", {at::ones({3, 2}), {}}); }

  void add(const std::string& name, const std::vector<int64_t>& labels,
           const std::vector<int64_t>& attributes = {}) const {
    const auto embeddings = at::zeros({static_cast<int64_t>(labels.size()), 2});
    write_embedding_split(folder(), name, embeddings, longs(labels),
                          attributes.empty() ? at::Tensor() : longs(attributes));
  }
  EmbeddingFolder open() const { return EmbeddingFolder::open(folder()); }
};

DatasetSplit split_of(const std::string& name, const std::vector<int64_t>& labels,
                      const std::vector<int64_t>& attributes = {}) {
  auto rows = std::make_unique<RowsDataset>(counted_rows(static_cast<int64_t>(labels.size()), 2));
  rows->row_labels = longs(labels);
  if (!attributes.empty()) rows->row_attributes = longs(attributes);
  return {name, std::move(rows)};
}

TEST_F(EvaluateTest, TheGroupSpaceIsTheHeadsClassesAllSplitsAttributesAndTrainsGroups) {
  add("train", {0, 0, 1, 2}, {1, 1, 0, -1});
  add("test", {0, 1}, {3, 0});
  const auto space = group_space(open());
  EXPECT_EQ(space.classes, 3);
  EXPECT_EQ(space.attribute_values, 4);
  EXPECT_THAT(space.train_counts, ElementsAre(Pair(Pair(0, 1), 2), Pair(Pair(1, 0), 1)));
}

TEST_F(EvaluateTest, WithoutGroupsInTrainTheirSharesAreNotKnown) {
  add("train", {0, 1});
  add("val", {0, 1}, {0, 1});
  EXPECT_THAT(group_space(open()).train_counts, IsEmpty());
  EXPECT_EQ(group_space(open()).attribute_values, 2);
}

TEST_F(EvaluateTest, ADataSetHasTheSpaceOfItsEmbeddings) {
  DataFolder data;
  data.splits.push_back(split_of("train", {0, 0, 1, 2}, {1, 1, 0, -1}));
  data.splits.push_back(split_of("test", {0, 1}, {3, 0}));
  data.splits.push_back(split_of("val", {0, 1}));
  const auto space = group_space(data, 3);
  EXPECT_EQ(space.classes, 3);
  EXPECT_EQ(space.attribute_values, 4);
  EXPECT_THAT(space.train_counts, ElementsAre(Pair(Pair(0, 1), 2), Pair(Pair(1, 0), 1)));

  DataFolder without;
  without.splits.push_back(split_of("train", {0, 1}));
  EXPECT_EQ(group_space(without, 3).attribute_values, 0);
  EXPECT_THAT(group_space(without, 3).train_counts, IsEmpty());
}

TEST_F(EvaluateTest, AHeadOfMoreClassesThanAnySplitHasLabelsIsWarnedOf) {
  add("train", {0, 1});
  add("val", {0, 0});
  EXPECT_THAT(class_warnings(open()),
              ElementsAre(testing::StartsWith(
                  "the head has 3 classes, but the data has only labels 0 to 1;")));
  add("test", {2});
  EXPECT_THAT(class_warnings(open()), IsEmpty());
}

TEST_F(EvaluateTest, TheSameIsSaidOfADataSet) {
  DataFolder data;
  data.splits.push_back(split_of("train", {0, 0}));
  EXPECT_THAT(class_warnings(data, 2),
              ElementsAre(testing::StartsWith(
                  "the head has 2 classes, but the data has only the label 0;")));
  EXPECT_THAT(class_warnings(data, 1), IsEmpty());
}

/// A split of three classes on which a random head is right now and then.
EmbeddingSplit random_split(at::Generator& random, int64_t samples = 200) {
  const at::TensorOptions longs(at::kLong);
  return {at::randn({samples, 5}, random),
          at::randint(0, 3, {samples}, random, longs),
          at::randint(-1, 2, {samples}, random, longs),
          {}};
}

void expect_accuracy(const SplitMetrics& metrics, const StraightAccuracy& straight) {
  EXPECT_EQ(metrics.accuracy.samples, straight.all.samples);
  EXPECT_DOUBLE_EQ(metrics.accuracy.mean_accuracy, straight.all.accuracy());
  EXPECT_DOUBLE_EQ(metrics.accuracy.worst_class_accuracy, straight.worst_class());
  ASSERT_TRUE(metrics.groups);
  ASSERT_EQ(metrics.groups->groups.size(), straight.groups.size());
  for (const auto& group : metrics.groups->groups) {
    const auto& expected = straight.groups.at({group.label, group.attribute});
    EXPECT_EQ(group.count, expected.samples);
    EXPECT_DOUBLE_EQ(group.accuracy, expected.accuracy());
  }
  EXPECT_DOUBLE_EQ(metrics.groups->worst_group_accuracy, straight.worst_group());
}

class EvaluateOnDevice : public OnDevice {};

TEST_P(EvaluateOnDevice, FiguresAreThoseOfCountingSampleBySample) {
  auto random = at::detail::createCPUGenerator(3);
  const auto split = random_split(random);
  const Head head{at::randn({3, 5}, random), at::randn({3}, random)};
  const auto metrics = evaluate(there(head), split, {3, 2, {{{0, 0}, 3}, {{1, 1}, 1}}});
  const auto straight = straight_accuracy(head, split);
  expect_accuracy(metrics, straight);
  EXPECT_NEAR(
      metrics.groups->adjusted_mean_accuracy.value(),
      (3 * straight.groups.at({0, 0}).accuracy() + straight.groups.at({1, 1}).accuracy()) / 4,
      1e-12);
  EXPECT_EQ(metrics.groups->unknown, split.attributes.lt(0).sum().item<int64_t>());
}

NEURONTUNE_ON_EVERY_DEVICE(EvaluateOnDevice);

TEST_F(EvaluateTest, EverySplitOfAFolderIsEvaluatedInItsSpace) {
  auto random = at::detail::createCPUGenerator(4);
  const Head head{at::randn({3, 5}, random), {}};
  write_head(folder() / "head.safetensors", head);
  for (const auto* name : {"train", "odd"}) {
    const auto split = random_split(random);
    write_embedding_split(folder(), name, split.embeddings, split.labels, split.attributes);
  }
  const auto data = open();
  const auto metrics = evaluate(head, data);
  ASSERT_EQ(metrics.size(), 2U);
  for (const auto& [name, of_split] : metrics) {
    SCOPED_TRACE(name);
    expect_accuracy(of_split, straight_accuracy(head, data.split(name)));
  }
  EXPECT_NE(metrics.at("odd").groups->adjusted_mean_accuracy, std::nullopt) << "by train's shares";
}

}  // namespace
}  // namespace neurontune
