#include "neurontune/data/dataset.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <chrono>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

const ImageTransform kPlain{3, {}, {}, {0}, {1}};

class DatasetTest : public TemporaryFolderTest {
 protected:
  /// Images 0.png … of one grey each, 8 times their number.
  void write_images(int64_t count) const {
    for (int64_t index = 0; index < count; ++index) {
      write_png(folder() / (std::to_string(index) + ".png"),
                at::full({2, 3}, 8 * index, at::kByte));
    }
  }
};

TEST_F(DatasetTest, SplitsComeInOrderWithLabelsAttributesAndIds) {
  write_images(4);
  write("metadata.csv", "path,y,split,a\n0.png,1,test,0\n1.png,0,0,1\n2.png,2,0,0\n3.png,1,1,1\n");
  write("names.json", R"({"labels": ["cat", "dog"], "attributes": ["day"]})");
  const DataFolder data = open_data(folder(), kPlain);
  ASSERT_EQ(data.splits.size(), 3U);
  EXPECT_EQ(data.splits[0].name, "train");
  EXPECT_EQ(data.splits[1].name, "val");
  EXPECT_EQ(data.splits[2].name, "test");
  const Dataset& train = *data.splits[0].dataset;
  EXPECT_EQ(train.size(), 2);
  EXPECT_TRUE(at::equal(train.labels(), longs({0, 2})));
  EXPECT_TRUE(at::equal(train.attributes(), longs({1, 0})));
  EXPECT_EQ(train.ids(), std::vector<std::string>({"1.png", "2.png"}));
  EXPECT_EQ(train.described(1), (folder() / "2.png").string() + " (metadata.csv, line 4)");
  EXPECT_EQ(data.names.label(1), "dog");
  EXPECT_EQ(data.names.label(2), "y=2");
  EXPECT_EQ(data.names.attribute(0), "day");
  EXPECT_EQ(data.names.attribute(1), "a=1");
}

TEST_F(DatasetTest, AttributesAreThoseOfTheirSplitAndGapsAreCounted) {
  write_images(4);
  write("metadata.csv",
        "path,y,split,a\n0.png,1,train,\n1.png,0,val,1\n2.png,0,val,\n3.png,0,test,0\n");
  const DataFolder data = open_data(folder() / "metadata.csv", kPlain);
  EXPECT_FALSE(data.split("train").attributes().defined());
  EXPECT_TRUE(at::equal(data.split("val").attributes(), longs({1, -1})));
  EXPECT_TRUE(at::equal(data.split("test").attributes(), longs({0})));
  EXPECT_THAT(data.warnings,
              ::testing::ElementsAre(::testing::StartsWith("train has no attributes, unlike val, "),
                                     ::testing::StartsWith("val: the attribute of 1 of 2 ")));
}

TEST_F(DatasetTest, BatchesHoldTheirSamplesInOrder) {
  write_images(20);
  std::string csv = "path,y,split\n";
  for (int index = 0; index < 20; ++index) csv += std::to_string(index) + ".png,0,train\n";
  write("metadata.csv", csv);
  const DataFolder data = open_data(folder(), kPlain);
  const auto check = [&] {
    const auto batch = data.splits[0].dataset->batch(3, 17);
    ASSERT_EQ(batch.size(), 1U);
    ASSERT_EQ(batch[0].sizes(), at::IntArrayRef({14, 3, 2, 3}));
    EXPECT_TRUE(at::equal(batch[0].select(1, 2).select(1, 1).select(1, 2).mul(255).round(),
                          at::arange(3, 17).mul(8).to(at::kFloat)));
  };
  check();
  const c10::InferenceMode inference;
  check();
  EXPECT_ERROR(data.splits[0].dataset->batch(3, 21), "the split has 20");
  EXPECT_ERROR(data.splits[0].dataset->batch(3, 3), "were asked for");
}

TEST_F(DatasetTest, TheFirstFaultyImageOfABatchIsNamedWithItsRow) {
  write_images(4);
  write("1.png", "not an image");
  write("metadata.csv", "path,y,split\n0.png,0,0\n1.png,0,0\n2.png,0,0\n3.png,0,0\n");
  const DataFolder data = open_data(folder(), kPlain);
  std::filesystem::remove(folder() / "3.png");
  const Dataset& train = *data.splits[0].dataset;
  EXPECT_ERROR(train.batch(0, 4), "1.png (metadata.csv, line 3): is no image that can be read");
  EXPECT_ERROR(train.batch(2, 4), "3.png (metadata.csv, line 5): cannot be opened: No such file");
}

TEST_F(DatasetTest, ATruncatedImageIsNamedWithItsRow) {
  write_images(1);
  const std::string whole = read(folder() / "0.png");
  write("0.png", whole.substr(0, whole.size() / 2));
  write("metadata.csv", "path,y,split\n0.png,0,0\n");
  const DataFolder data = open_data(folder(), kPlain);
  EXPECT_ERROR(data.splits[0].dataset->batch(0, 1), "0.png (metadata.csv, line 2): the file ends");
}

TEST_F(DatasetTest, EveryFaultOfAManifestIsFoundAtOnce) {
  write_images(1);
  write("1.png", "");
  std::filesystem::create_directory(folder() / "2.png");
  write("metadata.csv",
        "path,y,split,a\n0.png,0,0,0\n1.png,0,0,0\n2.png,0,0,0\n3.png,0,0,0\n0.png,-1,0,0\n"
        "0.png,0,9,0\n,0,0,0\n0.png,0,0\n0.png,0,0,wet\n0.png,cat,nowhere,0\n");
  try {
    open_data(folder(), kPlain);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_EQ(error.source(), (folder() / "metadata.csv").string());
    EXPECT_THAT(
        error.findings(),
        ::testing::ElementsAre(
            "line 3: 1.png is empty (0 bytes), expected an image",
            "line 4: 2.png is a folder, expected an image", "line 5: 3.png does not exist",
            "line 6: y is `-1`, expected an integer from 0 to 2147483647",
            "line 7: split is `9`, expected 0, 1, 2, train, val or test", "line 8: path is empty",
            "line 9 has fewer columns than the header: 3, expected 4",
            "line 10: a is `wet`, expected an integer from 0 to 2147483647, or an empty cell or -1 "
            "where it is not known",
            "line 11: y is `cat`, expected an integer from 0 to 2147483647",
            "line 11: split is `nowhere`, expected 0, 1, 2, train, val or test"));
    EXPECT_EQ(error.what(), error.source() + ": 10 findings, the first: " + error.findings()[0]);
  }
}

TEST_F(DatasetTest, ASplitThatIsNotThereIsNamedWithThoseThatAre) {
  write_images(2);
  write("metadata.csv", "path,y,split\n0.png,0,train\n1.png,0,test\n");
  EXPECT_ERROR(open_data(folder(), kPlain).split("val"), "no split val; it has train, test");
}

TEST_F(DatasetTest, CropsThatDoNotFitNameTheFileAndRow) {
  write_images(1);
  write("metadata.csv", "path,y,split\n0.png,0,0\n");
  ImageTransform transform = kPlain;
  transform.crop = {5};
  const DataFolder data = open_data(folder(), transform);
  EXPECT_ERROR(data.splits[0].dataset->batch(0, 1), "0.png (metadata.csv, line 2): crop is 5 x 5");
}

TEST_F(DatasetTest, ImagesOfDifferentSizesAreRefusedUnlessTheTransformEvensThem) {
  write_png(folder() / "a.png", at::zeros({4, 4}, at::kByte));
  write_png(folder() / "b.png", at::zeros({4, 5}, at::kByte));
  write("metadata.csv", "path,y,split\na.png,0,0\nb.png,0,0\n");
  const DataFolder uneven = open_data(folder(), kPlain);
  EXPECT_ERROR(uneven.splits[0].dataset->batch(0, 2),
               "b.png (metadata.csv, line 3) has 4 x 5 pixels after the transform");
  ImageTransform transform = kPlain;
  transform.crop = {4};
  const DataFolder even = open_data(folder(), transform);
  EXPECT_EQ(even.splits[0].dataset->batch(0, 2)[0].size(0), 2);
}

TEST_F(DatasetTest, TheFingerprintTellsEveryChangeThatCounts) {
  write_images(3);
  const std::string csv = "path,y,split,a\n0.png,0,0,0\n1.png,1,0,0\n";
  const auto fingerprint = [&](const std::string& text, const ImageTransform& transform = kPlain) {
    write("metadata.csv", text);
    return open_data(folder(), transform).splits[0].dataset->fingerprint();
  };
  const std::string before = fingerprint(csv);
  EXPECT_EQ(fingerprint(csv), before);
  EXPECT_NE(fingerprint("path,y,split,a\n0.png,0,0,0\n2.png,1,0,0\n"), before) << "another file";
  EXPECT_NE(fingerprint("path,y,split,a\n1.png,1,0,0\n0.png,0,0,0\n"), before) << "another order";
  EXPECT_NE(fingerprint("path,y,split,a\n0.png,1,0,0\n1.png,1,0,0\n"), before) << "another label";
  EXPECT_NE(fingerprint("path,y,split,a\n0.png,0,0,1\n1.png,1,0,0\n"), before) << "an attribute";
  ImageTransform transform = kPlain;
  transform.mean = {0.25};
  EXPECT_NE(fingerprint(csv, transform), before) << "another transform";
  ImageTransform bicubic = kPlain;
  bicubic.interpolation = Interpolation::bicubic;
  EXPECT_NE(fingerprint(csv, bicubic), before) << "another filter";
  std::filesystem::last_write_time(
      folder() / "1.png",
      std::filesystem::last_write_time(folder() / "1.png") + std::chrono::seconds(1));
  EXPECT_NE(fingerprint(csv), before) << "a file written anew";
}

TEST_F(DatasetTest, WhatIsNoDataFolderIsRefused) {
  EXPECT_ERROR(open_data(folder() / "absent", kPlain), "absent: does not exist");
  EXPECT_ERROR(open_data(folder(), kPlain), "has no metadata.csv or other manifest");
  write("metadata.csv", "path,y,split\n0.png,0,0\n");
  ImageTransform transform = kPlain;
  transform.channels = 4;
  EXPECT_ERROR_OF(OptionError, open_data(folder(), transform), "channels is 4");
}

using NamesTest = TemporaryFolderTest;

TEST_F(NamesTest, NamesThatAreNoUtf8AreReadBack) {
  const Names names{{"caf\xE9", "a\nb"}, {}};
  names.write(folder());
  EXPECT_EQ(Names::read(folder()).labels, names.labels);
}

TEST_F(NamesTest, WrittenNamesAreReadBack) {
  const Names names{{"pullover", "Mäntel"}, {"sneaker"}};
  names.write(folder());
  const Names read = Names::read(folder());
  EXPECT_EQ(read.labels, names.labels);
  EXPECT_EQ(read.attributes, names.attributes);
}

TEST_F(NamesTest, NoNamesAreNoFile) {
  Names{}.write(folder());
  EXPECT_EQ(entries(), 0);
  EXPECT_TRUE(Names::read(folder()).labels.empty());
}

TEST_F(NamesTest, OtherJsonIsRefused) {
  const auto read_json = [&](const std::string& json) {
    write("names.json", json);
    return Names::read(folder());
  };
  EXPECT_ERROR(read_json("["), "names.json: is not JSON: parse error at line 1");
  EXPECT_ERROR(read_json("[]"), "names.json: is not a JSON object, expected {\"labels\"");
  EXPECT_ERROR(read_json(std::string("\xFF\xFE{\0}\0", 6)), "is UTF-16 text, expected UTF-8");
  EXPECT_ERROR(read_json(std::string("{\0\0\0}\0\0\0", 8)), "is UTF-32 text, expected UTF-8");
  EXPECT_ERROR(read_json("{} // none"), "it has a comment");
  EXPECT_ERROR(read_json(R"({"label": []})"), "unknown key `label`");
  EXPECT_ERROR(read_json(R"({"labels": "cat"})"), "`labels` is \"cat\", expected a list of names");
  EXPECT_ERROR(read_json(R"({"attributes": [1]})"), "`attributes` is [1], expected a list");
}

}  // namespace
}  // namespace neurontune
