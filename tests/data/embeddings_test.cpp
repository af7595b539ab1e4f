#include "neurontune/data/embeddings.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

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

/// A folder with a head of 2 classes and 3 dimensions.
class EmbeddingsTest : public TemporaryFolderTest {
 protected:
  EmbeddingsTest() {
    write_head(folder() / "head.safetensors", {at::ones({2, 3}), at::zeros({2})});
  }

  void write_tensors(const std::string& stem, const Tensors& tensors) const {
    write_safetensors(folder() / (stem + ".safetensors"), tensors);
  }

  /// Four samples, of the classes 0, 1, 0, 0.
  static Tensors samples() {
    return {{"embeddings", at::arange(12, at::kFloat).view({4, 3})},
            {"labels", longs({0, 1, 0, 0})}};
  }
  static Tensors samples_with(const std::string& name, const at::Tensor& tensor) {
    Tensors tensors = samples();
    for (auto& [present, value] : tensors) {
      if (present == name) {
        value = tensor;
        return tensors;
      }
    }
    tensors.emplace_back(name, tensor);
    return tensors;
  }

  EmbeddingFolder open() const { return EmbeddingFolder::open(folder()); }
  EmbeddingFolder open_with(const std::string& name, const at::Tensor& tensor) const {
    write_tensors("val", samples_with(name, tensor));
    return open();
  }
};

TEST_F(EmbeddingsTest, EverySplitIsOpenedByItsFilesName) {
  write_tensors("train", samples());
  write_tensors("my_val", samples_with("attributes", longs({0, 2, 1, 0})));
  write("my_val.ids.txt", "a.jpg\r\nb c.jpg\nd.jpg\ne.jpg");
  write("names.json", R"({"labels": ["land", "water"]})");
  write_tensors("spuriousness", {{"embeddings", at::ones({1, 1})}});
  write_tensors("cache", {{"other", at::ones({1, 1})}});
  const EmbeddingFolder data = open();
  ASSERT_EQ(data.splits().size(), 2U);
  EXPECT_EQ(data.head().classes(), 2);
  EXPECT_EQ(data.names().label(1), "water");
  EXPECT_EQ(data.attribute_values(), 3);
  EXPECT_FALSE(data.split("train").attributes.defined());
  EXPECT_TRUE(data.split("train").ids.empty());
  const EmbeddingSplit& val = data.split("my_val");
  EXPECT_TRUE(at::equal(val.embeddings, at::arange(12, at::kFloat).view({4, 3})));
  EXPECT_TRUE(at::equal(val.attributes, longs({0, 2, 1, 0})));
  EXPECT_EQ(val.ids, std::vector<std::string>({"a.jpg", "b c.jpg", "d.jpg", "e.jpg"}));
  EXPECT_ERROR(data.split("test"), "has no split `test`; it has my_val, train");
}

TEST_F(EmbeddingsTest, AttributesThatAreNotKnownAreCountedAndStayOutOfAParts) {
  write_tensors("train", samples());
  write_tensors("test", samples_with("groups", longs({-1, 2, 1, 0})));
  const auto data = open_with("attributes", longs({0, -1, -1, 4}));
  EXPECT_TRUE(at::equal(data.split("val").attributes, longs({0, -1, -1, 4})));
  EXPECT_TRUE(at::equal(data.split("test").attributes, longs({-1, 0, 1, 0})));
  EXPECT_EQ(data.attribute_values(), 5);
  EXPECT_FALSE(data.select({"val", 2, 2}).attributes.defined()) << "the third row alone";
  EXPECT_THAT(data.warnings(),
              ::testing::ElementsAre(
                  ::testing::StartsWith("test: the attribute of 1 of 4 samples is not known"),
                  ::testing::StartsWith("train has no attributes, unlike test, val: "),
                  ::testing::StartsWith("val: the attribute of 2 of 4 samples is not known")));
}

TEST_F(EmbeddingsTest, AMisspeltArrayOfAttributesIsNamed) {
  EXPECT_THAT(open_with("attribute", longs({0, 1, 1, 0})).warnings(),
              ::testing::ElementsAre(::testing::HasSubstr(
                  "val.safetensors: there are no attributes; the file has an array attribute")));
}

TEST_F(EmbeddingsTest, AFileWithoutEmbeddingsIsNoSplitAndAWarningSaysSo) {
  write_tensors("val", samples());
  write_tensors("test", {{"feats", at::ones({4, 3})}, {"y", longs({0, 1, 0, 0})}});
  EXPECT_THAT(open().warnings(),
              ::testing::ElementsAre(::testing::HasSubstr(
                  "test.safetensors has no array `embeddings`; it holds feats, "
                  "y; --arrays embeddings=NAME,labels=NAME,… says what is what")));
  EXPECT_ERROR(open().split("test"), "test.safetensors has no array `embeddings`; it holds feats");
}

TEST_F(EmbeddingsTest, ArraysMayHaveOtherNames) {
  std::filesystem::remove(folder() / "head.safetensors");
  write_npz(folder() / "head.npz", {{"W", at::ones({2, 3})}, {"b", at::zeros({2})}});
  write_npz(folder() / "val.npz", {{"feats", at::ones({4, 3})},
                                   {"y", longs({0, 1, 0, 0})},
                                   {"place", longs({0, 1, 2, 0})},
                                   {"names", longs({7, 8, 9, 10})}});
  write_tensors("train", {{"feats", at::ones({4, 3})}, {"y", longs({0, 1, 0, 0})}});
  const auto open_as = [&](const std::string& names) {
    return EmbeddingFolder::open(folder(), ArrayNames::parse(names));
  };
  const auto data = open_as("embeddings=feats,labels=y,attributes=place,ids=names,weight=W,bias=b");
  EXPECT_TRUE(data.head().bias.defined());
  EXPECT_TRUE(at::equal(data.split("val").attributes, longs({0, 1, 2, 0})));
  EXPECT_EQ(data.split("val").ids.at(0), "7");
  EXPECT_TRUE(at::equal(data.split("train").labels, longs({0, 1, 0, 0})));
  EXPECT_ERROR(open_as(""),
               "head.npz: has no tensor `weight`, expected a linear head's [C, M]; a "
               "head of several layers goes with its model; it holds W, b");
  EXPECT_ERROR(open_as("weight=W"),
               "has no split; train.safetensors has no array `embeddings`; it holds feats, y; "
               "--arrays embeddings=NAME");
  EXPECT_ERROR(open_as("weight=W,embeddings=feats"),
               "train.safetensors: has no tensor `labels`, expected I64 [4]; it holds feats, y");
  EXPECT_ERROR(open_as("weight=W,embeddings=feats,labels=y,attributes=where"),
               "no file has an array `where`");
}

TEST_F(EmbeddingsTest, TensorsThatNoOneNeedsMayHaveAnyDtype) {
  const std::string json = R"({"embeddings":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]},)"
                           R"("labels":{"dtype":"U16","shape":[1],"data_offsets":[12,14]},)"
                           R"("other":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[14,15]}})";
  const uint64_t length = json.size();
  write("val.safetensors", std::string(reinterpret_cast<const char*>(&length), sizeof length) +
                               json + std::string(12, '\0') + std::string("\1\0\7", 3));
  EXPECT_TRUE(at::equal(open().split("val").labels, longs({1})));
}

TEST_F(EmbeddingsTest, EscapesInIdsAreReadBack) {
  write("val.ids.txt", "caf\\xE9.jpg\na\\x0Ab\nc\nd\n");
  write_tensors("val", samples());
  EXPECT_EQ(open().split("val").ids, std::vector<std::string>({"caf\xE9.jpg", "a\nb", "c", "d"}));
}

TEST_F(EmbeddingsTest, WithoutAttributesThereAreNoAttributeValues) {
  write_tensors("val", samples());
  EXPECT_EQ(open().attribute_values(), 0);
}

TEST_F(EmbeddingsTest, HalfTypesStayAsTheyAre) {
  for (const auto type : {at::kHalf, at::kBFloat16, at::kDouble}) {
    const auto data = open_with("embeddings", at::ones({4, 3}, type));
    EXPECT_EQ(data.split("val").embeddings.scalar_type(), type);
  }
}

TEST_F(EmbeddingsTest, LabelsOfOtherIntegersBecomeInt64) {
  const auto data = open_with("labels", longs({0, 1, 1, 0}).to(at::kInt));
  EXPECT_TRUE(at::equal(data.split("val").labels, longs({0, 1, 1, 0})));
}

TEST_F(EmbeddingsTest, PartsTakeTheirRowsOfEverything) {
  write_tensors("val", samples_with("attributes", longs({0, 1, 2, 3})));
  write("val.ids.txt", "a\nb\nc\nd\n");
  const EmbeddingSplit part = open().select({"val", 1, 2});  // rows 0, 1 and 3
  EXPECT_TRUE(at::equal(part.embeddings, matrix({{0, 1, 2}, {3, 4, 5}, {9, 10, 11}})));
  EXPECT_TRUE(at::equal(part.labels, longs({0, 1, 0})));
  EXPECT_TRUE(at::equal(part.attributes, longs({0, 1, 3})));
  EXPECT_EQ(part.ids, std::vector<std::string>({"a", "b", "d"}));
  EXPECT_EQ(open().select({"val", 1, 1}).labels.size(0), 4);
  EXPECT_ERROR(open().select({"val", 4, 4}), "part 4 of 4 of split `val` holds no sample");
}

TEST_F(EmbeddingsTest, RowsThatDisagreeAreRefused) {
  EXPECT_ERROR(open_with("labels", longs({0, 1, 0, 0, 1})),
               "val.safetensors: labels has 5 rows, embeddings has 4");
  EXPECT_ERROR(open_with("attributes", longs({0})), "attributes has 1 rows, embeddings has 4");
  write("val.ids.txt", "a\nb\nc\n");
  EXPECT_ERROR(open_with("labels", longs({0, 1, 0, 0})),
               "val.ids.txt: has 3 lines, embeddings has 4 rows");
}

TEST_F(EmbeddingsTest, DimensionsOtherThanTheHeadsAreRefused) {
  EXPECT_ERROR(open_with("embeddings", at::ones({4, 5})),
               "val.safetensors: embeddings has 5 dimensions, the head takes 3");
}

TEST_F(EmbeddingsTest, IndicesOutOfRangeAreRefused) {
  EXPECT_ERROR(open_with("labels", longs({0, 1, 2, 0})),
               "val.safetensors: labels[2] is 2, expected 0 to 1: the head has 2 classes");
  EXPECT_ERROR(open_with("labels", longs({0, -1, 0, 0})), "labels[1] is -1");
  EXPECT_ERROR(open_with("attributes", longs({0, 0, 0, -4})), "attributes[3] is -4");
}

TEST_F(EmbeddingsTest, FloatingAttributesAreReadWhereTheyAreWholeOrNan) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  open_with("attributes", at::tensor({0.0, nan, 1.0, 1.0}, at::kDouble));
  EXPECT_TRUE(at::equal(open().split("val").attributes, longs({0, -1, 1, 1})));
  EXPECT_ERROR(open_with("attributes", at::full({4}, 0.5)), "`attributes` is float32 [4]");
}

TEST_F(EmbeddingsTest, WrongTypesAndShapesAreRefused) {
  EXPECT_ERROR(open_with("labels", at::zeros({4})),
               "`labels` is float32 [4], expected integers [N]");
  EXPECT_ERROR(open_with("labels", longs({0, 1, 0, 0}).view({4, 1})), "`labels` is int64 [4, 1]");
  EXPECT_ERROR(open_with("embeddings", at::ones({4, 3}, at::kLong)),
               "`embeddings` is int64 [4, 3]");
  EXPECT_ERROR(open_with("embeddings", at::ones({4, 3, 1})), "`embeddings` is float32 [4, 3, 1]");
  EXPECT_ERROR(open_with("embeddings", at::ones({0, 3})), "`embeddings` is float32 [0, 3]");
}

TEST_F(EmbeddingsTest, MissingLabelsAreRefused) {
  write_tensors("val", {{"embeddings", at::ones({4, 3})}});
  EXPECT_ERROR(open(), "val.safetensors: has no tensor `labels`, expected I64 [4]");
}

TEST_F(EmbeddingsTest, ValuesThatAreNotFiniteAreNamedByRowAndDimension) {
  for (const auto type : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble}) {
    at::Tensor embeddings = at::zeros({4, 3}, type);
    embeddings[2][1] = std::nan("");
    embeddings[3][0] = std::numeric_limits<double>::infinity();
    EXPECT_ERROR(open_with("embeddings", embeddings),
                 "val.safetensors: `embeddings`[2, 1] is nan, expected finite values");
    embeddings[2][1] = -std::numeric_limits<double>::infinity();
    EXPECT_ERROR(open_with("embeddings", embeddings), "`embeddings`[2, 1] is -inf");
  }
}

TEST_F(EmbeddingsTest, ValuesThatAreNotFiniteAreFoundFarDown) {
  write_head(folder() / "head.safetensors", {at::ones({2, 512}), {}});
  at::Tensor embeddings = at::zeros({10000, 512});  // more than one block of the check
  embeddings[9999][511] = std::numeric_limits<float>::infinity();
  write_tensors("val", {{"embeddings", embeddings}, {"labels", at::zeros({10000}, at::kLong)}});
  EXPECT_ERROR(open(), "`embeddings`[9999, 511] is inf");
}

TEST_F(EmbeddingsTest, FoldersWithoutSplitsOrHeadAreRefused) {
  EXPECT_ERROR(open(), "has no split; expected train.safetensors");
  EXPECT_ERROR(EmbeddingFolder::open(folder() / "absent"), "absent: is no folder of embeddings");
  write_tensors("val", samples());
  std::filesystem::remove(folder() / "head.safetensors");
  EXPECT_ERROR(open(),
               "head.safetensors: does not exist; it must hold the ERM model's last linear layer, "
               "`weight` [C, M] and optionally `bias` [C]");
}

TEST(EmbeddingsInMemory, AreLookedAtAsThoseOfFilesAre) {
  const auto embeddings = at::arange(12, at::kFloat).view({4, 3});
  const Head head{at::ones({2, 3}), {}};
  const auto of = [&](const at::Tensor& z, const at::Tensor& y, const at::Tensor& a = {}) {
    return EmbeddingFolder::of_tensors({{"val", {z, y, a, {}}}}, head);
  };
  const auto every_other = at::arange(8, at::kLong).remainder(2).slice(0, 0, 8, 2);
  const auto data = of(embeddings, every_other.to(at::kByte), at::tensor({0., 2., 1., NAN}));
  EXPECT_EQ(data.split("val").embeddings.data_ptr(), embeddings.data_ptr());
  EXPECT_TRUE(data.split("val").labels.equal(longs({0, 0, 0, 0})));
  EXPECT_TRUE(data.split("val").attributes.equal(longs({0, 2, 1, -1})));
  EXPECT_EQ(data.attribute_values(), 3);
  EXPECT_TRUE(of(embeddings, every_other).split("val").labels.equal(longs({0, 0, 0, 0})));
  EXPECT_EQ(data.warnings().size(), 1U);
  EXPECT_ERROR(data.split("test"), "data in memory: has no split `test`; it has val");
  EXPECT_ERROR(of(embeddings, longs({0, 1, 2, 0})),
               "val: labels[2] is 2, expected 0 to 1: the head has 2 classes");
  EXPECT_ERROR(of(embeddings, longs({0, 1})), "val: labels has 2 rows, embeddings has 4");
  EXPECT_ERROR(of(embeddings.slice(1, 0, 2), every_other),
               "val: embeddings has 2 dimensions, the head takes 3");
  EXPECT_ERROR(of(embeddings.log(), every_other), "val: `embeddings`[0, 0] is -inf");
}

TEST(EmbeddingsInMemory, AHeadOfOneLogitIsOneOfTwoClasses) {
  const Head head{at::ones({1, 3}), at::ones({1})};
  const auto data =
      EmbeddingFolder::of_tensors({{"val", {at::zeros({2, 3}), longs({0, 1}), {}, {}}}}, head);
  EXPECT_EQ(data.head().classes(), 2);
  EXPECT_TRUE(data.head().single_logit);
  EXPECT_ERROR(EmbeddingFolder::of_tensors({}, {at::full({2, 3}, NAN), {}}),
               "the head: `weight`[0, 0] is nan");
}

TEST_F(EmbeddingsTest, HeadsAreReadBackAsWritten) {
  const at::Tensor weight = at::arange(6, at::kFloat).view({2, 3}), bias = at::ones({2});
  write_head(folder() / "h.safetensors", {weight, bias});
  EXPECT_TRUE(at::equal(read_head(folder() / "h.safetensors").weight, weight));
  EXPECT_TRUE(at::equal(read_head(folder() / "h.safetensors").bias, bias));
  write_head(folder() / "h.safetensors", {weight, {}});
  EXPECT_FALSE(read_head(folder() / "h.safetensors").bias.defined());
}

TEST_F(EmbeddingsTest, WhatIsNoHeadIsRefused) {
  write_tensors("h", {{"bias", at::ones({2})}});
  const auto path = folder() / "h.safetensors";
  EXPECT_ERROR(read_head(path), "h.safetensors: has no tensor `weight`");
  write_tensors("h", {{"weight", at::ones({2})}});
  EXPECT_ERROR(read_head(path), "h.safetensors");
  write_tensors("h", {{"weight", at::ones({2, 3})}, {"bias", at::ones({3})}});
  EXPECT_ERROR(read_head(path), "h.safetensors");
  write_tensors("h", {{"weight", at::full({2, 3}, std::nan(""))}});
  EXPECT_ERROR(read_head(path), "h.safetensors: `weight`[0, 0] is nan");
}

TEST_F(EmbeddingsTest, ArchivesOfNumPyAreReadLikeSafetensors) {
  std::filesystem::remove(folder() / "head.safetensors");
  write_npz(folder() / "head.npz", {{"weight", at::ones({2, 3})}, {"bias", at::zeros({2})}});
  Tensors tensors = samples_with("attributes", longs({0, 2, 1, 0}).to(at::kInt));
  tensors[1].second = tensors[1].second.to(at::kInt);
  write_npz(folder() / "train.npz", tensors);
  write_tensors("val", samples());
  const EmbeddingFolder data = open();
  ASSERT_EQ(data.splits().size(), 2U);
  EXPECT_EQ(data.head().classes(), 2);
  EXPECT_EQ(data.attribute_values(), 3);
  const EmbeddingSplit& train = data.split("train");
  EXPECT_TRUE(at::equal(train.embeddings, data.split("val").embeddings));
  EXPECT_TRUE(at::equal(train.labels, longs({0, 1, 0, 0})));
  EXPECT_TRUE(at::equal(train.attributes, longs({0, 2, 1, 0})));
  EXPECT_TRUE(train.ids.empty());
}

TEST_F(EmbeddingsTest, OfAnArchiveOnlyWhatCountsIsRead) {
  std::vector<std::pair<std::string, std::string>> arrays;
  for (const auto& [name, tensor] : samples()) arrays.emplace_back(name, npy(tensor));
  arrays.emplace_back("ids", npy("|S1", "4,", "abcd"));
  arrays.emplace_back("captions", npy("|O", "4,", "pickled"));
  write_npz(folder() / "val.npz", arrays);
  EXPECT_EQ(open().split("val").ids, std::vector<std::string>({"a", "b", "c", "d"}));
  arrays.back().first = "attributes";
  write_npz(folder() / "val.npz", arrays);
  EXPECT_ERROR(open(), "val.npz: array `attributes` holds Python objects (dtype |O), expected");
}

TEST_F(EmbeddingsTest, IdsOfAnArchiveHaveARowASample) {
  Tensors tensors = samples();
  tensors.emplace_back("ids", longs({1, 2}));
  write_npz(folder() / "val.npz", tensors);
  EXPECT_ERROR(open(), "val.npz: ids has 2 rows, embeddings has 4 rows");
}

TEST_F(EmbeddingsTest, GroupsBecomeAttributesByOneNumberForAllSplits) {
  write_tensors("train", samples_with("groups", longs({0, 3, 1, 0})));
  write_npz(folder() / "val.npz", samples_with("groups", longs({2, 5, 0, 1})));
  const EmbeddingFolder data = open();
  EXPECT_TRUE(at::equal(data.split("train").attributes, longs({0, 0, 1, 0})));
  EXPECT_TRUE(at::equal(data.split("val").attributes, longs({2, 2, 0, 1})));
  EXPECT_EQ(data.attribute_values(), 3);
  write_npz(folder() / "val.npz", samples_with("groups", longs({2, 2, 0, 1})));
  EXPECT_ERROR(open(),
               "val.npz row 1 (label 1, group 2) contradicts val.npz row 0 (label 0, group 2)");
}

TEST_F(EmbeddingsTest, TwoFilesOfANameAreRefused) {
  write_tensors("val", samples());
  write_npz(folder() / "val.npz", samples());
  EXPECT_ERROR(open(), "has both val.safetensors and val.npz");
  std::filesystem::remove(folder() / "val.npz");
  write_npz(folder() / "head.npz", {{"weight", at::ones({2, 3})}});
  EXPECT_ERROR(open(), "has both head.safetensors and head.npz");
}

}  // namespace
}  // namespace neurontune
