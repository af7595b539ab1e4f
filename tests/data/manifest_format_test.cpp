#include "neurontune/data/manifest_format.h"

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/data/manifest.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {
namespace {

class ManifestFormatTest : public TemporaryFolderTest {
 protected:
  ManifestFormat parse(const std::string& json) const {
    return ManifestFormat::named(write("format.json", json).string());
  }
  Config config(const std::string& format) const {
    return resolve_config(
        "", {{"--data", "data.path", folder().string()}, {"--format", "data.format", format}});
  }
};

TEST_F(ManifestFormatTest, EveryPresetIsRead) {
  for (const auto& name : manifest_format_names()) {
    EXPECT_EQ(ManifestFormat::named(name).name, name);
  }
}

TEST_F(ManifestFormatTest, AFormatOfOnesOwnReadsOnesOwnCsv) {
  write("format.json", R"({
    "files": ["photos.csv"],
    "sample": {"columns": ["photo"], "prefixes": ["photos/"], "suffix": ".png"},
    "label": {"columns": ["animal"], "values": {"cat": 0, "dog": 1}, "names": ["cat", "dog"]},
    "attribute": {"columns": ["hour"], "at_least": 12},
    "split": {"columns": ["part"], "values": {"a": "train", "b": "val", "x": "night"}}
  })");
  write("photos.csv", "photo,animal,hour,part\n1,dog,11.5,a\n2,cat,12,b\n3,cat,23,x\n");
  const auto source = find_manifest(folder(), (folder() / "format.json").string()).value();
  const Manifest manifest = Manifest::read(source);
  EXPECT_EQ(manifest.split_names(), std::vector<std::string>({"train", "val", "night"}));
  const ManifestRow& row = manifest.splits.at("night")[0];
  EXPECT_EQ(row.sample, "photos/3.png");
  EXPECT_EQ(row.label, 0);
  EXPECT_EQ(row.attribute, 1);
  EXPECT_EQ(manifest.splits.at("train")[0].attribute, 0);
  write("photos.csv", "photo,animal,hour,part\n1,bird,noon,c\n");
  EXPECT_ERROR(Manifest::read(source),
               "3 findings, the first: line 2: animal is `bird`, expected "
               "cat or dog");
}

TEST_F(ManifestFormatTest, LevelsOfFoldersComeInAnyOrder) {
  write("format.json", R"({"folders": "{split}/{attribute}/{label}"})");
  std::filesystem::create_directories(folder() / "train/rock/cow");
  write("train/rock/cow/1.jpg", "x");
  const auto source = find_manifest(folder(), (folder() / "format.json").string()).value();
  const Manifest manifest = Manifest::read(source);
  EXPECT_EQ(manifest.names.label(0), "cow");
  EXPECT_EQ(manifest.names.attribute(0), "rock");
}

TEST_F(ManifestFormatTest, FaultyFormatsAreRefused) {
  const auto refused = [&](const std::string& json, const std::string& text) {
    EXPECT_ERROR_OF(OptionError, parse(json), text);
  };
  refused("[]", "format.json: is not a JSON object");
  refused(R"({"lable": {}})", "unknown key lable; the nearest known one is label");
  refused(R"({"label": {"colums": ["y"]}})",
          "unknown key label.colums; the nearest known one is label.columns");
  refused(R"({"label": {"columns": "y"}})", "label.columns is \"y\", expected a list of strings");
  refused(R"({"label": {"values": {"a": -1}}})", "label.values.a is -1, expected a whole number");
  refused(R"({"label": {"at_least": "1"}})", "label.at_least is \"1\", expected a number");
  refused(R"({"split": {"values": {"0": 1}}})", "split.values.0 is 1, expected a split's name");
  refused(R"({"sample": {"columns": ["x"]}})", "label.columns is missing");
  refused(R"({"label": {"columns": ["y"]}, "split": {"columns": ["s"]}})",
          "expected either sample.columns, of images, or tensors");
  for (const char* folders : {"{label}", "{split}/{class}", "{split}/{attribute}"}) {
    refused(R"({"folders": ")" + std::string(folders) + R"("})",
            "folders is \"" + std::string(folders) + "\", expected {split}/{label}, ");
  }
  refused("{ /* none */ }", "it has a comment (// or /* */), which JSON does not allow");
  refused(std::string("\xFF\xFE{\0}\0", 6), "format.json: is UTF-16 text, expected UTF-8");
  EXPECT_ERROR_OF(OptionError, ManifestFormat::named("waterbird"), "the nearest is waterbirds");
  EXPECT_ERROR(ManifestFormat::named("absent.json"), "absent.json: cannot be opened");
}

TEST_F(ManifestFormatTest, AutoNeverGuessesBetweenTwo) {
  EXPECT_FALSE(find_manifest(folder(), "auto"));
  write("metadata.csv", "");
  EXPECT_EQ(find_manifest(folder(), "auto")->format.name, "metadata");
  write("list_attr_celeba.csv", "");
  EXPECT_ERROR(find_manifest(folder(), "auto"),
               "holds metadata.csv (format metadata), list_attr_celeba.csv (format celeba); choose "
               "one with --format, or pass the file");
  EXPECT_EQ(find_manifest(folder(), "celeba")->path, folder() / "list_attr_celeba.csv");
  EXPECT_EQ(find_manifest(folder() / "list_attr_celeba.csv", "auto")->format.name, "celeba");
  write("mine.csv", "");
  EXPECT_EQ(find_manifest(folder() / "mine.csv", "auto")->format.name, "metadata");
  EXPECT_ERROR(find_manifest(folder() / "mine.csv", "nico"), "is a file, but data of the format");
  EXPECT_ERROR(find_manifest(folder(), "multinli"),
               "has no manifest of the format multinli: metadata_random.csv");
}

TEST_F(ManifestFormatTest, ItsTransformIsADefault) {
  write("metadata.csv", "");
  EXPECT_EQ(config("auto").data.transform.resize, std::vector<int64_t>({256}));
  EXPECT_EQ(config("waterbirds").data.transform.resize, std::vector<int64_t>({256, 256}));
  EXPECT_EQ(config("waterbirds").data.format, "waterbirds");
  write("transform.json", R"({"resize": [64]})");
  EXPECT_EQ(config("waterbirds").data.transform.resize, std::vector<int64_t>({64}));
  EXPECT_ERROR_OF(OptionError, config("waterbird"), "the nearest is waterbirds");
}

}  // namespace
}  // namespace neurontune
