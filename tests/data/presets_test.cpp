// A miniature of each data set that a format of configs/data reads, with the real columns and
// layout.

#include <ATen/ATen.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/manifest_format.h"
#include "neurontune/io/safetensors.h"
#include "tensors.h"

namespace neurontune {
namespace {

const ImageTransform kPlain{3, {}, {}, {0}, {1}};

using Texts = std::vector<std::string>;

class PresetsTest : public TemporaryFolderTest {
 protected:
  /// An image at a path below the folder, a PNG whatever its ending: content tells them apart.
  void image(const std::string& name) const {
    std::filesystem::create_directories((folder() / name).parent_path());
    write_png(folder() / name, at::full({2, 2}, 7, at::kByte));
  }
  void images(const Texts& names) const {
    for (const auto& name : names) image(name);
  }
  void csv(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder() / name).parent_path());
    write(name, text);
  }

  DataFolder open(const std::string& format = "auto") const {
    return open_data(folder(), kPlain, format);
  }

  static Texts split_names(const DataFolder& data) {
    Texts names;
    for (const auto& split : data.splits) names.push_back(split.name);
    return names;
  }
};

void expect_split(const DataFolder& data, const std::string& name, const Texts& ids,
                  const std::vector<int64_t>& labels, const std::vector<int64_t>& attributes) {
  SCOPED_TRACE(name);
  const Dataset& split = data.split(name);
  EXPECT_EQ(split.ids(), ids);
  EXPECT_TRUE(at::equal(split.labels(), longs(labels))) << split.labels();
  ASSERT_EQ(split.attributes().defined(), !attributes.empty());
  if (!attributes.empty()) {
    EXPECT_TRUE(at::equal(split.attributes(), longs(attributes))) << split.attributes();
  }
  EXPECT_EQ(split.batch(0, split.size())[0].size(0), static_cast<int64_t>(ids.size()));
}

TEST_F(PresetsTest, Waterbirds) {
  images({"001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg",
          "004.Groove_billed_Ani/Groove_Billed_Ani_0002_1670.jpg",
          "010.Red_winged_Blackbird/Red_Winged_Blackbird_0079_4527.jpg"});
  csv("metadata.csv",
      "img_id,img_filename,y,split,place,place_filename\n"
      "1,001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg,1,2,0,"
      "/b/bamboo_forest/00000081.jpg\n"
      "260,004.Groove_billed_Ani/Groove_Billed_Ani_0002_1670.jpg,0,0,1,/o/ocean/00002672.jpg\n"
      "560,010.Red_winged_Blackbird/Red_Winged_Blackbird_0079_4527.jpg,0,1,0,"
      "/f/forest/broadleaf/00000002.jpg\n");
  for (const char* format : {"waterbirds", "auto"}) {
    const DataFolder data = open(format);
    EXPECT_EQ(split_names(data), Texts({"train", "val", "test"}));
    expect_split(data, "train", {"004.Groove_billed_Ani/Groove_Billed_Ani_0002_1670.jpg"}, {0},
                 {1});
    expect_split(data, "val", {"010.Red_winged_Blackbird/Red_Winged_Blackbird_0079_4527.jpg"}, {0},
                 {0});
    expect_split(data, "test", {"001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg"},
                 {1}, {0});
  }
  EXPECT_EQ(open("waterbirds").names.label(1), "waterbird");
  EXPECT_EQ(open("waterbirds").names.attribute(0), "land");
  EXPECT_TRUE(open().names.labels.empty()) << "another data set may have these columns";
}

/// Five of the forty columns of list_attr_celeba.csv.
constexpr const char* kCelebaAttributes =
    "image_id,5_o_Clock_Shadow,Blond_Hair,Blurry,Male,Young\n"
    "000001.jpg,-1,-1,-1,-1,1\n"
    "000002.jpg,-1,1,-1,-1,1\n"
    "000003.jpg,1,-1,1,1,1\n"
    "000004.jpg,-1,1,-1,1,1\n";
constexpr const char* kCelebaPartition =
    "image_id,partition\n000002.jpg,0\n000001.jpg,0\n000003.jpg,1\n000004.jpg,2\n";

TEST_F(PresetsTest, CelebaWithItsPartition) {
  for (const char* base : {"img_align_celeba", "img_align_celeba/img_align_celeba"}) {
    std::filesystem::remove_all(folder() / "img_align_celeba");
    const std::string path = std::string(base) + "/";
    for (const char* name : {"000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"}) {
      image(path + name);
    }
    csv("list_attr_celeba.csv", kCelebaAttributes);
    csv("list_eval_partition.csv", kCelebaPartition);
    const DataFolder data = open();
    EXPECT_EQ(split_names(data), Texts({"train", "val", "test"}));
    expect_split(data, "train", {path + "000001.jpg", path + "000002.jpg"}, {0, 1}, {0, 0});
    expect_split(data, "val", {path + "000003.jpg"}, {0}, {1});
    expect_split(data, "test", {path + "000004.jpg"}, {1}, {1});
    EXPECT_EQ(data.names.label(1), "blond");
    EXPECT_EQ(data.names.attribute(1), "male");
  }
}

TEST_F(PresetsTest, CelebaOfGroupDroLiesInData) {
  images({"data/img_align_celeba/000001.jpg", "data/img_align_celeba/000002.jpg"});
  csv("data/list_attr_celeba.csv", "image_id,Blond_Hair,Male\n000001.jpg,-1,1\n000002.jpg,1,-1\n");
  csv("data/list_eval_partition.csv", "image_id,partition\n000001.jpg,0\n000002.jpg,1\n");
  expect_split(open("celeba"), "val", {"img_align_celeba/000002.jpg"}, {1}, {0});
}

/// As the authors write it: the number of rows, forty names of which here are five, then the rows.
constexpr const char* kCelebaText =
    "4\n"
    "5_o_Clock_Shadow Blond_Hair Blurry Male Young \n"
    "000001.jpg -1 -1 -1 -1  1\n"
    "000002.jpg -1  1 -1 -1  1\n"
    "000003.jpg  1 -1  1  1  1\n"
    "000004.jpg -1  1 -1  1  1\n";
constexpr const char* kCelebaTextPartition =
    "000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n";

TEST_F(PresetsTest, CelebaAsItsAuthorsAndTorchvisionLayItOut) {
  struct Layout {
    std::string annotations, partition, images;
  };
  for (const auto& [annotations, partition, base] :
       std::vector<Layout>{{"", "", "img_align_celeba/"},
                           {"celeba/", "celeba/", "celeba/img_align_celeba/"},
                           {"Anno/", "Eval/", "Img/img_align_celeba/"},
                           {"Anno/", "Eval/", "img_align_celeba/"}}) {
    SCOPED_TRACE(annotations + " " + base);
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
      std::filesystem::remove_all(entry);
    }
    for (const char* name : {"000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"}) {
      image(base + name);
    }
    csv(annotations + "list_attr_celeba.txt", kCelebaText);
    csv(partition + "list_eval_partition.txt", kCelebaTextPartition);
    csv(annotations + "identity_CelebA.txt", "000001.jpg 2880\n");
    csv(annotations + "list_landmarks_align_celeba.txt", "4\nlefteye_x lefteye_y\n");
    const DataFolder data = open();
    EXPECT_EQ(split_names(data), Texts({"train", "val", "test"}));
    EXPECT_TRUE(at::equal(data.split("train").labels(), longs({0, 1})));
    EXPECT_TRUE(at::equal(data.split("val").attributes(), longs({1})));
    EXPECT_TRUE(at::equal(data.split("test").labels(), longs({1})));
    EXPECT_EQ(data.split("train").batch(0, 2)[0].size(0), 2);
    EXPECT_THAT(data.split("train").ids()[1], ::testing::EndsWith("img_align_celeba/000002.jpg"));
    EXPECT_EQ(data.names.attribute(1), "male");
  }
}

TEST_F(PresetsTest, FaultsOfCelebasTextAreNamedByLine) {
  image("img_align_celeba/000001.jpg");
  csv("list_attr_celeba.txt", "3\nBlond_Hair Male\n000001.jpg 1 2\n000002.jpg 1\n000003.jpg 1 1\n");
  csv("list_eval_partition.txt", "000001.jpg 0\n000002.jpg 0\n000003.jpg 5\n");
  try {
    open();
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(
        error.findings(),
        ::testing::ElementsAre("line 3: Male is `2`, expected -1, 0 or 1",
                               "line 4 has fewer columns than the header: 2, expected 3",
                               "line 5: partition is `5`, expected 0, 1, 2, train, val or test"));
  }
  std::filesystem::remove(folder() / "list_eval_partition.txt");
  EXPECT_ERROR(open(), "list_eval_partition.csv: cannot be opened");
}

TEST_F(PresetsTest, CelebaNamesRowsThatDisagree) {
  images({"img_align_celeba/000001.jpg"});
  csv("list_attr_celeba.csv",
      "image_id,Blond_Hair,Male\n000001.jpg,2,1\n000002.jpg,1,1\n000003.jpg,1,1\n");
  csv("list_eval_partition.csv",
      "image_id,partition\n000001.jpg,0\n000003.jpg,3\n000001.jpg,0\n000003.jpg\n");
  try {
    open("celeba");
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(
        error.findings(),
        ::testing::ElementsAre(
            "list_eval_partition.csv: line 4: image_id `000001.jpg` stands there twice",
            "list_eval_partition.csv: line 5 has fewer columns than the header: 1, expected 2",
            "line 2: Blond_Hair is `2`, expected -1, 0 or 1",
            "line 3: list_eval_partition.csv has no row of image_id `000002.jpg`",
            "line 4: partition is `3`, expected 0, 1, 2, train, val or test"));
  }
  csv("list_eval_partition.csv", "image,partition\n000001.jpg,0\n");
  EXPECT_ERROR(open("celeba"), "lacks a column image_id; columns found: image, partition");
  std::filesystem::remove(folder() / "list_eval_partition.csv");
  EXPECT_ERROR(open("celeba"), "list_eval_partition.csv: cannot be opened");
}

TEST_F(PresetsTest, CelebaMetadataOfDfr) {
  images({"img_align_celeba/000001.jpg", "img_align_celeba/000002.jpg"});
  const std::string text =
      "img_id,img_filename,y,split,place,place_filename\n"
      "1,000001.jpg,0,0,1,unavailable\n2,000002.jpg,1,2,0,unavailable\n";
  csv("celeba_metadata.csv", text);
  const auto check = [](const DataFolder& data) {
    EXPECT_EQ(split_names(data), Texts({"train", "test"}));
    expect_split(data, "train", {"img_align_celeba/000001.jpg"}, {0}, {1});
    expect_split(data, "test", {"img_align_celeba/000002.jpg"}, {1}, {0});
    EXPECT_EQ(data.names.attribute(1), "male");
  };
  check(open());
  // As the DFR code asks for: renamed, in the folder of the images' folder.
  std::filesystem::remove(folder() / "celeba_metadata.csv");
  csv("metadata.csv", text);
  check(open("celeba-metadata"));
}

TEST_F(PresetsTest, ImageNet9WithImageNetA) {
  // Folders of ImageNet as they are; those of none of the nine classes are left out.
  images({"train/n02085620/n02085620_10074.JPEG", "train/n01641577/n01641577_1.JPEG",
          "train/n01440764/n01440764_10026.JPEG", "val/n02123045/ILSVRC2012_val_1.JPEG",
          "imagenet-a/n02219486/0.000_ant.jpg", "imagenet-a/n01498041/0.000_stingray.jpg"});
  const DataFolder data = open("imagenet9");
  EXPECT_EQ(split_names(data), Texts({"train", "val", "imagenet-a"}));
  expect_split(data, "train",
               {"train/n01641577/n01641577_1.JPEG", "train/n02085620/n02085620_10074.JPEG"}, {2, 0},
               {});
  expect_split(data, "val", {"val/n02123045/ILSVRC2012_val_1.JPEG"}, {1}, {});
  expect_split(data, "imagenet-a", {"imagenet-a/n02219486/0.000_ant.jpg"}, {8}, {});
  EXPECT_EQ(data.names.label(8), "insect");
}

TEST_F(PresetsTest, ImageNet9OfTheBackgroundsChallenge) {
  images({"in9l/train/00_dog/n02085620_1.JPEG", "in9l/val/02_wheeled vehicle/n02701002_1.JPEG",
          "bg_challenge/mixed_rand/val/08_fish/fg_1.JPEG"});
  const DataFolder data = open("imagenet9-backgrounds");
  EXPECT_EQ(split_names(data), Texts({"train", "val", "mixed_rand"}));
  expect_split(data, "val", {"in9l/val/02_wheeled vehicle/n02701002_1.JPEG"}, {2}, {});
  expect_split(data, "mixed_rand", {"bg_challenge/mixed_rand/val/08_fish/fg_1.JPEG"}, {8}, {});
  EXPECT_EQ(data.names.label(6), "instrument");
  image("in9l/val/02_wheel/x.JPEG");
  EXPECT_ERROR(open("imagenet9-backgrounds"), "in9l/val/02_wheel: is no folder that the format");
}

TEST_F(PresetsTest, ClassFoldersWithoutAFormat) {
  images({"train/cat/1.jpg", "train/dog/2.PNG", "valid/dog/3.jpeg", "imagenet-a/cat/4.jpg"});
  write("train/cat/.hidden", "");
  write("train/cat/notes.txt", "");
  const DataFolder data = open();
  EXPECT_EQ(split_names(data), Texts({"train", "val", "imagenet-a"}));
  expect_split(data, "train", {"train/cat/1.jpg", "train/dog/2.PNG"}, {0, 1}, {});
  expect_split(data, "val", {"valid/dog/3.jpeg"}, {1}, {});
  EXPECT_EQ(data.names.labels, Texts({"cat", "dog"}));
}

TEST_F(PresetsTest, ImagesOfEveryEndingAreClassFoldersImages) {
  images({"train/ant/1.webp", "train/ant/2.TIFF", "train/ant/3.jfif", "train/bee/1.bmp",
          "train/cow/1.gif"});
  const DataFolder data = open();
  expect_split(data, "train",
               {"train/ant/1.webp", "train/ant/2.TIFF", "train/ant/3.jfif", "train/bee/1.bmp",
                "train/cow/1.gif"},
               {0, 0, 0, 1, 2}, {});
  EXPECT_TRUE(data.warnings.empty());
}

TEST_F(PresetsTest, AClassThatASplitLacksKeepsItsNumberAndIsWarnedOf) {
  images({"train/ant/1.png", "train/bee/1.png", "train/cow/1.png", "test/cow/1.png",
          "val/ant/1.png", "val/bee/1.png", "val/cow/1.png"});
  std::filesystem::create_directories(folder() / "test/ant");
  const DataFolder data = open();
  expect_split(data, "test", {"test/cow/1.png"}, {2}, {});
  EXPECT_THAT(data.warnings, ::testing::ElementsAre(
                                 "split test holds no image of the classes ant, bee: the folder "
                                 "is missing or empty"));
}

TEST_F(PresetsTest, AClassFolderWithoutAnImageInAnySplitIsRefused) {
  images({"train/bee/1.png", "test/bee/1.png"});
  for (const char* name : {"1.heic", "2.heic", "3.heic", "4.heic"}) {
    csv("train/ant/" + std::string(name), "x");
  }
  std::filesystem::create_directories(folder() / "test/cow");
  try {
    open();
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(error.findings(),
                ::testing::ElementsAre(
                    "class ant holds no image in any split, expected JPEG, PNG, WebP, BMP, GIF or "
                    "TIFF; it holds 4 of .heic (train/ant/1.heic, train/ant/2.heic, "
                    "train/ant/3.heic and 1 more)",
                    "class cow holds no image in any split, expected JPEG, PNG, WebP, BMP, GIF or "
                    "TIFF"));
  }
}

TEST_F(PresetsTest, AnAttributesFolderWithoutAnImageIsRefusedToo) {
  images({"train/bear/black/1.png", "train/cow/snow/1.png"});
  std::filesystem::create_directories(folder() / "train/bear/grass");
  EXPECT_ERROR(open("nico"), "attribute grass holds no image in any split");
}

TEST_F(PresetsTest, FilesThatArePassedOverAreNamedByTheirEndings) {
  images({"train/ant/1.png", "train/bee/1.png"});
  for (const char* name : {"train/ant/1.HEIC", "train/bee/2.heic", "train/bee/3.heic",
                           "train/bee/4.heic", "train/bee/notes"}) {
    csv(name, "x");
  }
  EXPECT_THAT(
      open().warnings,
      ::testing::ElementsAre(
          "files of the class folders were passed over, since they do not end as JPEG, PNG, "
          "WebP, BMP, GIF or TIFF images do: 1 of no ending (train/bee/notes), 4 of .heic "
          "(train/ant/1.HEIC, train/bee/2.heic, train/bee/3.heic and 1 more)"));
}

TEST_F(PresetsTest, FoldersOfResultsAreNoSplitsAndNoClasses) {
  images({"train/ant/1.png", "train/bee/1.png"});
  for (const char* name : {"out", "out/embeddings", "train/out", "train/ant/out"}) {
    csv(std::string(name) + "/.neurontune.json", "{}");
    csv(std::string(name) + "/train.safetensors", "x");
  }
  const DataFolder data = open();
  EXPECT_EQ(split_names(data), Texts({"train"}));
  EXPECT_EQ(data.names.labels, Texts({"ant", "bee"}));
  EXPECT_TRUE(data.warnings.empty());
  csv("train/.neurontune.json", "{}");
  EXPECT_EQ(split_names(open()), Texts({"train"})) << "results were written among the classes";
}

TEST_F(PresetsTest, Nico) {
  images({"train/bear/black/1.jpg", "train/bear/on snow/2.jpg", "train/cow/on snow/3.jpg",
          "val/cow/black/4.jpg", "test/bear/on snow/5.jpg"});
  const DataFolder data = open("nico");
  expect_split(data, "train",
               {"train/bear/black/1.jpg", "train/bear/on snow/2.jpg", "train/cow/on snow/3.jpg"},
               {0, 0, 1}, {0, 1, 1});
  expect_split(data, "val", {"val/cow/black/4.jpg"}, {1}, {0});
  EXPECT_EQ(data.names.labels, Texts({"bear", "cow"}));
  EXPECT_EQ(data.names.attributes, Texts({"black", "on snow"}));
}

TEST_F(PresetsTest, FaultsOfClassFoldersAreFoundAtOnce) {
  images({"train/bear/black/1.jpg", "train/bear/2.jpg", "train/cow/snow/deep/3.jpg"});
  write("train/bear/black/0.jpg", "");
  std::filesystem::create_directories(folder() / "train/bear/black/9.jpg");
  std::filesystem::create_directories(folder() / "val/bear");
  try {
    open("nico");
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(
        error.findings(),
        ::testing::UnorderedElementsAre(
            "train/bear/2.jpg: is an image where folders are expected, by "
            "{split}/{label}/{attribute}",
            "train/cow/snow/deep: is a folder where images are expected, by "
            "{split}/{label}/{attribute}",
            "val: holds no image",
            "class cow holds no image in any split, expected JPEG, PNG, WebP, BMP, GIF or TIFF",
            "attribute snow holds no image in any split, expected JPEG, PNG, WebP, BMP, GIF or "
            "TIFF",
            "train/bear/black/0.jpg is empty (0 bytes), expected an image",
            "train/bear/black/9.jpg is a folder, expected an image"));
  }
}

class TokenPresetsTest : public PresetsTest {
 protected:
  /// inputs int64 [rows, 4, 3], all of row i being i.
  void tokens(const std::string& name, int64_t rows) const {
    write_safetensors(folder() / name,
                      {{"inputs", at::arange(rows).view({rows, 1, 1}).expand({rows, 4, 3})}});
  }

  static void expect_tokens(const DataFolder& data, const std::string& split,
                            const std::vector<int64_t>& rows) {
    const auto batch = data.split(split).batch(0, static_cast<int64_t>(rows.size()));
    ASSERT_EQ(batch.size(), 1U);
    EXPECT_EQ(batch[0].scalar_type(), at::kLong);
    ASSERT_EQ(batch[0].sizes(), at::IntArrayRef({static_cast<int64_t>(rows.size()), 4, 3}));
    EXPECT_TRUE(at::equal(batch[0].select(1, 3).select(1, 2), longs(rows)));
  }
};

TEST_F(TokenPresetsTest, MultiNli) {
  csv("metadata_random.csv",
      ",gold_label,sentence2_has_negation,split\n0,2,0,0\n1,0,1,2\n2,1,0,0\n3,0,0,1\n");
  tokens("tokens.safetensors", 4);
  const DataFolder data = open();
  EXPECT_EQ(split_names(data), Texts({"train", "val", "test"}));
  expect_split(data, "train", {"0", "2"}, {2, 1}, {0, 0});
  expect_split(data, "test", {"1"}, {0}, {1});
  expect_tokens(data, "train", {0, 2});
  expect_tokens(data, "val", {3});
  EXPECT_EQ(data.names.labels, Texts({"contradiction", "entailment", "neutral"}));
  EXPECT_EQ(data.names.attribute(1), "negation");
  EXPECT_ERROR(data.split("val").batch(0, 2), "the split has 1");
  EXPECT_THAT(data.split("train").described(1), ::testing::EndsWith("metadata_random.csv, line 4"));
}

TEST_F(TokenPresetsTest, CivilCommentsOfWilds) {
  // Columns of all_data_with_identities.csv in their order, most of those in between left out.
  csv("all_data_with_identities.csv",
      ",id,comment_text,split,created_date,rating,male,female,LGBTQ,christian,muslim,"
      "other_religions,black,white,identity_any,severe_toxicity,toxicity\n"
      "0,5670053,\"Two lines,\r\nand a \"\"quote\"\"\",train,2017-08-29,approved,"
      "0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
      "1,5977193,Short,val,2017-09-26,rejected,"
      "0.4,0.0,0.5,0.0,0.0,0.0,0.0,0.0,1.0,0.1,0.5\n"
      "2,5977194,Short,test,2017-09-26,rejected,"
      "0.4,0.4,0.4,0.0,0.0,0.0,0.0,0.0,1.0,0.1,0.7666666666666667\n"
      "3,5977195,Short,train,2017-09-26,approved,"
      "1,0,0,0,0,0,0,1e0,1.0,0.1,0.4999\n");
  tokens("tokens.safetensors", 4);
  const DataFolder data = open();
  expect_split(data, "train", {"0", "3"}, {0, 0}, {0, 1});
  expect_split(data, "val", {"1"}, {1}, {1});
  expect_split(data, "test", {"2"}, {1}, {0});
  expect_tokens(data, "train", {0, 3});
  EXPECT_EQ(data.names.label(1), "toxic");
  EXPECT_EQ(data.names.attribute(1), "identity");
}

TEST_F(TokenPresetsTest, TokensThatDoNotFitAreRefused) {
  const std::string header = "gold_label,sentence2_has_negation,split\n";
  csv("metadata_random.csv", header + "2,0,0\n0,1,2\n");
  EXPECT_ERROR(open(), "tokens.safetensors: cannot be opened");
  tokens("tokens.safetensors", 3);
  EXPECT_ERROR(open(), "tokens.safetensors has 3 rows, the manifest has 2");
  write_safetensors(folder() / "tokens.safetensors", {{"inputs", at::zeros({2, 4})}});
  EXPECT_ERROR(open(), "inputs is float32 [2, 4], expected int64 [N, L, 3]");
  write_safetensors(folder() / "tokens.safetensors", {{"input_ids", at::zeros({2, 4})}});
  EXPECT_ERROR(open(), "has no tensor inputs; it holds input_ids");
}

TEST_F(TokenPresetsTest, TheFingerprintTellsEveryChangeThatCounts) {
  const std::string header = "gold_label,sentence2_has_negation,split\n";
  const auto fingerprint = [&](const std::string& rows, int64_t count) {
    csv("metadata_random.csv", header + rows);
    tokens("tokens.safetensors", count);
    return open().split("train").fingerprint();
  };
  const auto before = fingerprint("2,0,0\n0,1,2\n", 2);
  EXPECT_EQ(fingerprint("2,0,0\n0,1,2\n", 2), before);
  EXPECT_NE(fingerprint("1,0,0\n0,1,2\n", 2), before) << "another label";
  EXPECT_NE(fingerprint("2,1,0\n0,1,2\n", 2), before) << "another attribute";
  EXPECT_NE(fingerprint("0,1,2\n2,0,0\n", 2), before) << "another row of the tensor";
}

TEST_F(PresetsTest, SubpopBench) {
  images({"waterbird_complete95_forest2water2/001.A/1.jpg",
          "waterbird_complete95_forest2water2/002.B/2.jpg"});
  csv("metadata_waterbirds.csv",
      "id,filename,split,y,a\n1,001.A/1.jpg,0,1,0\n2,002.B/2.jpg,1,0,1\n");
  const DataFolder data = open();
  EXPECT_EQ(split_names(data), Texts({"train", "val"}));
  expect_split(data, "train", {"waterbird_complete95_forest2water2/001.A/1.jpg"}, {1}, {0});
  expect_split(data, "val", {"waterbird_complete95_forest2water2/002.B/2.jpg"}, {0}, {1});
}

TEST_F(PresetsTest, SubpopBenchWithSplitsOfItsOwn) {
  images({"a.jpg", "b.jpg"});
  csv("metadata.csv", "split,filename,y,a\ntrain," + (folder() / "a.jpg").string() +
                          ",3,0\nmixed_rand,b.jpg,1,0\n");
  const DataFolder data = open("subpopbench");
  EXPECT_EQ(split_names(data), Texts({"train", "mixed_rand"}));
  expect_split(data, "train", {(folder() / "a.jpg").string()}, {3}, {0});
}

}  // namespace
}  // namespace neurontune
