#include "data/tensor_dataset.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <chrono>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "io/npz_writer.h"
#include "neurontune/io/safetensors.h"
#include "tensors.h"

namespace neurontune {
namespace {

using testing_support::npy;
using testing_support::write_npz;
using Tensors = std::vector<std::pair<std::string, at::Tensor>>;
using Texts = std::vector<std::string>;

class TensorDatasetTest : public TemporaryFolderTest {
 protected:
  void write_tensors(const std::string& name, const Tensors& tensors) const {
    if (name.ends_with(".npz")) {
      write_npz(folder() / name, tensors);
    } else {
      write_safetensors(folder() / name, tensors);
    }
  }
  DataFolder open() const { return open_data(folder(), {}); }
  DataFolder open_with(const Tensors& tensors) const {
    write_tensors("train.safetensors", tensors);
    return open();
  }
};

/// Four samples.
Tensors samples(const Tensors& more = {}) {
  Tensors tensors = {{"inputs", at::arange(24, at::kFloat).view({4, 3, 2})},
                     {"labels", longs({0, 1, 0, 2})}};
  tensors.insert(tensors.end(), more.begin(), more.end());
  return tensors;
}

TEST_F(TensorDatasetTest, SplitsComeInOrderThenByName) {
  for (const char* name : {"test.npz", "val.safetensors", "b.npz", "train.npz", "a.safetensors"}) {
    write_tensors(name, samples());
  }
  write_tensors("head.safetensors", {{"weight", at::ones({2, 2})}});
  write("names.json", R"({"labels": ["cat"]})");
  const DataFolder data = open();
  Texts names;
  for (const auto& split : data.splits) names.push_back(split.name);
  EXPECT_EQ(names, Texts({"train", "val", "test", "a", "b"}));
  EXPECT_EQ(data.names.label(0), "cat");
}

TEST_F(TensorDatasetTest, BatchesHoldTheirRowsWhateverTheFile) {
  write_tensors("train.safetensors", samples());
  write_tensors("val.npz", samples());
  const DataFolder data = open();
  for (const auto& [name, dataset] : data.splits) {
    EXPECT_EQ(dataset->size(), 4);
    EXPECT_EQ(dataset->input_names(), Texts({"inputs"}));
    EXPECT_TRUE(at::equal(dataset->labels(), longs({0, 1, 0, 2})));
    EXPECT_FALSE(dataset->attributes().defined());
    EXPECT_EQ(dataset->ids().at(3), name + "[3]");
    const c10::InferenceMode inference;
    const auto batch = dataset->batch(1, 3);
    ASSERT_EQ(batch.size(), 1U);
    EXPECT_TRUE(at::equal(batch[0], at::arange(6, 18, at::kFloat).view({2, 3, 2})));
    EXPECT_ERROR(dataset->batch(1, 5), "samples 1 to 5 were asked for, the split has 4");
    EXPECT_ERROR(dataset->batch(2, 2), "were asked for");
  }
}

TEST_F(TensorDatasetTest, EveryOtherTensorIsAnInputOfItsOwnDtype) {
  const DataFolder data = open_with({{"labels", longs({1, 0}).to(at::kInt)},
                                     {"attributes", longs({0, 3}).to(at::kByte)},
                                     {"input_ids", longs({4, 5})},
                                     {"attention_mask", at::ones({2, 7}, at::kBool)}});
  const Dataset& train = data.split("train");
  EXPECT_EQ(train.input_names(), Texts({"attention_mask", "input_ids"}));
  const auto batch = train.batch(1, 2);
  EXPECT_TRUE(at::equal(batch.at(0), at::ones({1, 7}, at::kBool)));
  EXPECT_TRUE(at::equal(batch.at(1), longs({5})));
  EXPECT_TRUE(at::equal(train.labels(), longs({1, 0})));
  EXPECT_TRUE(at::equal(train.attributes(), longs({0, 3})));
}

TEST_F(TensorDatasetTest, GroupsBecomeAttributesByOneNumberForAllSplits) {
  write_tensors("train.npz", samples({{"groups", longs({0, 3, 1, 6}).to(at::kInt)}}));
  write_tensors("val.safetensors", samples({{"group", longs({2, 5, 0, 8})}}));
  write_tensors("test.npz", samples({{"attributes", longs({0, 1, 1, 1})}}));
  const DataFolder data = open();
  EXPECT_TRUE(at::equal(data.split("train").attributes(), longs({0, 0, 1, 0})));
  EXPECT_TRUE(at::equal(data.split("val").attributes(), longs({2, 2, 0, 2})));
  EXPECT_TRUE(at::equal(data.split("test").attributes(), longs({0, 1, 1, 1})));
  write_tensors("val.safetensors", samples({{"group", longs({2, 2, 0, 8})}}));
  EXPECT_ERROR(
      open(),
      "val.safetensors row 1 (label 1, group 2) contradicts train.npz row 3 (label 2, group 6)");
}

TEST_F(TensorDatasetTest, AttributesThatAreNotKnownAreCountedAndMisspeltOnesNamed) {
  write_tensors("train.npz", samples({{"attributes", longs({0, -1, 1, 1})}}));
  write_tensors("val.npz", samples({{"attribute", longs({0, 0, 1, 1})}}));
  const DataFolder data = open();
  EXPECT_TRUE(at::equal(data.split("train").attributes(), longs({0, -1, 1, 1})));
  EXPECT_THAT(data.warnings,
              ::testing::ElementsAre(
                  "val: there are no attributes; the file has a tensor attribute, did you mean "
                  "attributes?",
                  ::testing::HasSubstr("train: the attribute of 1 of 4 samples is not known"),
                  ::testing::HasSubstr("val has no attributes, unlike train")));
}

TEST_F(TensorDatasetTest, IdsComeFromTheLinesOrTheArchive) {
  write_npz(folder() / "train.npz", {{"inputs", npy(longs({7, 8}))},
                                     {"labels", npy(longs({0, 1}))},
                                     {"ids", npy("|S5", "2,", std::string("a.jpgb\0\0\0\0", 10))},
                                     {"captions", npy("|S1", "3,", "abc")}});
  EXPECT_EQ(open().split("train").ids(), Texts({"a.jpg", "b"}));
  EXPECT_EQ(open().split("train").input_names(), Texts({"inputs"}));
  write("train.ids.txt", "first\nsecond\n");
  EXPECT_EQ(open().split("train").ids(), Texts({"first", "second"}));
  write("train.ids.txt", "first\n");
  EXPECT_ERROR(open(), "train.ids.txt: has 1 lines, labels has 2 rows");
}

TEST_F(TensorDatasetTest, RowsThatDisagreeAreRefused) {
  EXPECT_ERROR(open_with(samples({{"mask", at::ones({3, 2})}})),
               "train.safetensors: `mask` is float32 [3, 2], labels has 4 rows; every tensor but");
  EXPECT_ERROR(open_with(samples({{"scale", at::ones({})}})), "`scale` is float32 []");
  EXPECT_ERROR(open_with(samples({{"attributes", longs({0})}})),
               "attributes has 1 rows, labels has 4");
}

TEST_F(TensorDatasetTest, WhatIsNoLabelIsRefused) {
  const auto with_labels = [&](const at::Tensor& labels) {
    return open_with({{"inputs", at::ones({4})}, {"labels", labels}});
  };
  EXPECT_ERROR(open_with({{"inputs", at::ones({4})}}),
               "train.safetensors: has no tensor `labels`, expected I64 [N]");
  EXPECT_ERROR(with_labels(at::zeros({4})), "`labels` is float32 [4], expected integers [N]");
  EXPECT_ERROR(with_labels(at::zeros({4, 1}, at::kLong)), "`labels` is int64 [4, 1]");
  EXPECT_ERROR(with_labels(at::zeros({0}, at::kLong)), "expected I64 [N] with N of at least 1");
  EXPECT_ERROR(with_labels(longs({0, -1, 0, 0})), "labels[1] is -1, expected 0 to 2147483647");
}

TEST_F(TensorDatasetTest, WhatHoldsNoInputsIsRefused) {
  EXPECT_ERROR(open_with({{"labels", longs({0})}}), "train.safetensors: has no tensor `inputs`");
  EXPECT_ERROR(open_with({{"labels", longs({0})}, {"embeddings", at::ones({1, 2})}}),
               "give its folder to --embeddings");
  std::filesystem::remove(folder() / "train.safetensors");
  EXPECT_ERROR(open(), "no folder train of class folders, nor tensors");
}

TEST_F(TensorDatasetTest, TextWhereNumbersBelongIsNamed) {
  write_npz(folder() / "train.npz",
            {{"inputs", npy(longs({7}))}, {"labels", npy("|S3", "1,", "cat")}});
  EXPECT_ERROR(open(), "train.npz: array `labels` holds dtype |S3, expected");
}

TEST_F(TensorDatasetTest, TwoFilesOfASplitAreRefused) {
  write_tensors("val.npz", samples());
  write_tensors("val.safetensors", samples());
  EXPECT_ERROR(open(), "has both val.safetensors and val.npz, expected one of them");
}

TEST_F(TensorDatasetTest, TheFingerprintTellsEveryChangeThatCounts) {
  const auto fingerprint = [&](const Tensors& tensors) {
    const auto path = folder() / "train.safetensors";
    write_safetensors(path, tensors);
    std::filesystem::last_write_time(path, std::filesystem::file_time_type{});
    return open().split("train").fingerprint();
  };
  const std::string before = fingerprint(samples());
  EXPECT_EQ(fingerprint(samples()), before);
  Tensors other = samples();
  other[1].second = longs({0, 1, 1, 2});
  EXPECT_NE(fingerprint(other), before) << "a label";
  const auto with_attributes = fingerprint(samples({{"attributes", longs({0, 0, 0, 0})}}));
  EXPECT_NE(with_attributes, before) << "another size";
  EXPECT_NE(fingerprint(samples({{"attributes", longs({0, 0, 0, 1})}})), with_attributes);
  const auto read = [&] { return open().split("train").fingerprint(); };
  fingerprint(samples());
  write("train.ids.txt", "a\nb\nc\nd\n");
  EXPECT_NE(read(), before) << "ids";
  std::filesystem::remove(folder() / "train.ids.txt");
  EXPECT_EQ(read(), before);
  const auto path = folder() / "train.safetensors";
  std::filesystem::last_write_time(
      path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
  EXPECT_NE(read(), before) << "a file written anew";
}

TEST_F(TensorDatasetTest, AManifestComesBeforeTensors) {
  write_tensors("train.safetensors", samples());
  write("metadata.csv", "path,y,split\n0.png,0,val\n");
  write("0.png", "is not looked into");
  const DataFolder data = open();
  ASSERT_EQ(data.splits.size(), 1U);
  EXPECT_EQ(data.splits[0].name, "val");
  EXPECT_EQ(data.splits[0].dataset->input_names(), Texts({"inputs"}));
}

}  // namespace
}  // namespace neurontune
