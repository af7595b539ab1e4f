#include "pipeline/embedding_output.h"

#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/data/names.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;

class EmbeddingOutputTest : public TemporaryFolderTest {
 protected:
  bool there(const std::string& file) const { return fs::exists(folder() / file); }

  /// Writes a split as extraction does: begun, written, finished.
  void make_split(const std::string& name) const {
    EmbeddingOutput output(folder(), {name});
    output.begin_data(/*has_names=*/false);
    output.begin_split(name);
    write(kHeadFile, "head");
    write(name + ".safetensors", "split");
    write(name + ".ids.txt", "a\n");
    output.finish({name}, /*has_names=*/false);
  }
};

TEST_F(EmbeddingOutputTest, SplitsOfSomebodyElseAreRefusedSinceTheFolderIsReadAsAWhole) {
  write("mine.safetensors", "");
  EXPECT_ERROR(EmbeddingOutput(folder(), {"val"}),
               "mine.safetensors: was not written by neurontune");
}

TEST_F(EmbeddingOutputTest, SplitsItMadeMayBeMadeAgain) {
  make_split("val");
  EXPECT_NO_THROW(make_split("val"));
  EXPECT_NO_THROW(EmbeddingOutput(folder(), {"test"})) << "another data set's";
}

TEST_F(EmbeddingOutputTest, IdsThatWereChangedSinceAreNotReplaced) {
  make_split("val");
  write("val.ids.txt", "my own\n");
  EXPECT_ERROR(EmbeddingOutput(folder(), {"val"}), "val.ids.txt: has changed since");
}

TEST_F(EmbeddingOutputTest, AnotherWriterIsRefused) {
  const EmbeddingOutput output(folder(), {"val"});
  EXPECT_THROW(EmbeddingOutput(folder(), {"val"}), Error);
}

TEST_F(EmbeddingOutputTest, RemovesASplitWithItsIds) {
  make_split("val");
  make_split("test");
  EmbeddingOutput(folder(), {"val"}).remove_split("val");
  EXPECT_FALSE(there("val.safetensors"));
  EXPECT_FALSE(there("val.ids.txt"));
  EXPECT_TRUE(there("test.safetensors"));
}

TEST_F(EmbeddingOutputTest, ASplitThatIsBegunIsGoneAndMayBeMadeAnewAfterAKill) {
  make_split("val");
  EmbeddingOutput(folder(), {"val"}).begin_split("val");
  EXPECT_FALSE(there("val.safetensors"));
  write("val.safetensors", "half of it");
  EXPECT_NO_THROW(make_split("val"));
}

TEST_F(EmbeddingOutputTest, NamesOfEarlierDataGo) {
  EmbeddingOutput output(folder(), {});
  output.begin_data(/*has_names=*/true);
  write(Names::kFile, "{}");
  write(kHeadFile, "");
  output.finish({}, /*has_names=*/true);
  output.begin_data(/*has_names=*/false);
  EXPECT_FALSE(there(Names::kFile));
}

TEST_F(EmbeddingOutputTest, RemovesWhatIsUnfinishedOfOtherSplitsOnly) {
  for (const auto* file :
       {".old.safetensors.partial", ".old.journal.json", ".val.safetensors.partial",
        ".val.journal.json", "old.journal.json", ".old.other"})
    write(file, "");
  EmbeddingOutput(folder(), {"val"}).remove_unfinished_but({"val"});
  EXPECT_FALSE(there(".old.safetensors.partial"));
  EXPECT_FALSE(there(".old.journal.json"));
  EXPECT_TRUE(there(".val.safetensors.partial"));
  EXPECT_TRUE(there(".val.journal.json"));
  EXPECT_TRUE(there("old.journal.json"));
  EXPECT_TRUE(there(".old.other"));
}

TEST_F(EmbeddingOutputTest, EmbeddingsGoNeitherIntoTheDataNorAmongOtherResults) {
  const auto data = folder() / "data", out = folder() / "out";
  fs::create_directories(data / "images");
  fs::create_directory(out);
  write("data/images/a.jpg", "");
  EXPECT_NO_THROW(check_embedding_output(out, data));
  EXPECT_NO_THROW(check_embedding_output(out, data)) << "looking locks nothing";
  EXPECT_ERROR_OF(OptionError, check_embedding_output(data, data), "the data's own folder");
  EXPECT_THROW(check_embedding_output(data / "images", data), OptionError);
  for (const auto* result : {"result.json", "compare.json"}) {
    write("out/" + std::string(result), "{}");
    EXPECT_ERROR_OF(OptionError, check_embedding_output(out, data), result);
    fs::remove(out / result);
  }
}

}  // namespace
}  // namespace neurontune
