#include "io/output_folder.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "io/file_io.h"
#include "io/folder_mark.h"

namespace neurontune {
namespace {

class OutputFolderTest : public TemporaryFolderTest {
 protected:
  /// The folder with a file that the program made.
  void make(const std::string& file, const std::string& content) const {
    OutputFolder made(folder(), {file});
    made.begin({file});
    write_file(made / file, content);
    EXPECT_EQ(made.finish({file}).at(file), text_digest(content));
  }
};

TEST_F(OutputFolderTest, WhatItMadeMayBeReplaced) {
  make("a", "first");
  EXPECT_TRUE(is_marked(folder()));
  EXPECT_NO_THROW(OutputFolder(folder(), {"a", "not there"}));
}

TEST_F(OutputFolderTest, WhatItDidNotMakeMayNot) {
  write("a", "mine");
  EXPECT_ERROR(OutputFolder(folder(), {"a"}), "a: was not written by neurontune");
  EXPECT_NO_THROW(OutputFolder(folder(), {"b"}));
}

TEST_F(OutputFolderTest, WhatHasChangedSinceMayNot) {
  make("a", "first");
  write("a", "mine");
  EXPECT_ERROR(OutputFolder(folder(), {"a"}), "a: has changed since neurontune wrote it");
}

TEST_F(OutputFolderTest, WhatWasBegunMayBeReplacedWhateverItHolds) {
  OutputFolder(folder(), {"a"}).begin({"a"});
  write("a", "half of it");
  EXPECT_NO_THROW(OutputFolder(folder(), {"a"}));
}

TEST_F(OutputFolderTest, AFolderThatItMadeAndLeftEmptyDoesNotStay) {
  const auto made = folder() / "new";
  {
    const OutputFolder output(made, {"a"});
    EXPECT_TRUE(is_marked(made));
  }
  EXPECT_FALSE(std::filesystem::exists(made));
  { OutputFolder(made, {"a"}).begin({"a"}); }  // a failure while it is written
  EXPECT_FALSE(std::filesystem::exists(made));
}

TEST_F(OutputFolderTest, AFolderThatWasThereOrHoldsAnythingStays) {
  { const OutputFolder output(folder(), {"a"}); }
  EXPECT_TRUE(std::filesystem::exists(folder()));
  {
    const OutputFolder output(folder() / "new", {"a"});
    write("new/b", "mine");
  }
  EXPECT_TRUE(std::filesystem::exists(folder() / "new/b"));
  EXPECT_TRUE(is_marked(folder() / "new"));
}

TEST_F(OutputFolderTest, ALinkToNothingIsNamed) {
  std::filesystem::create_symlink(folder() / "gone", folder() / "link");
  EXPECT_ERROR(OutputFolder(folder() / "link", {"a"}), "link: is a link to ");
}

TEST_F(OutputFolderTest, RemovesOnlyWhatItMade) {
  make("a", "first");
  write("b", "mine");
  OutputFolder again(folder(), {});
  again.remove("a");
  again.remove("b");
  again.remove("never there");
  EXPECT_FALSE(std::filesystem::exists(folder() / "a"));
  EXPECT_EQ(read(folder() / "b"), "mine");
}

TEST_F(OutputFolderTest, NeitherALinkNorAFolderIsItsOwn) {
  make("a", "first");
  std::filesystem::rename(folder() / "a", folder() / "elsewhere");
  std::filesystem::create_symlink(folder() / "elsewhere", folder() / "a");
  EXPECT_ERROR(OutputFolder(folder(), {"a"}), "a: has changed since");
  std::filesystem::remove(folder() / "a");
  std::filesystem::create_directory(folder() / "a");
  EXPECT_ERROR(OutputFolder(folder(), {"a"}), "a: has changed since");
}

TEST_F(OutputFolderTest, IsLockedWhileItLives) {
  {
    const OutputFolder first(folder(), {});
    EXPECT_ERROR(OutputFolder(folder(), {}), "is being written into by process");
  }
  EXPECT_NO_THROW(OutputFolder(folder(), {}));
}

TEST_F(OutputFolderTest, AMarkThatIsNoneListsNothing) {
  for (const std::string mark : {"", "7", "{", "{\"files\": 7}", "{\"files\": {\"a\": 7}}"}) {
    write("a", "mine");
    write(kFolderMark, mark);
    EXPECT_ERROR(OutputFolder(folder(), {"a"}), "a: was not written by neurontune");
  }
}

using PartialFileTest = TemporaryFolderTest;

TEST_F(PartialFileTest, IsWrittenThroughNoLink) {
  const auto victim = write("victim", "mine");
  std::filesystem::create_symlink(victim, folder() / "link");
  EXPECT_ERROR(write_file(folder() / "link", "other"), "is a symbolic link");
  std::filesystem::create_symlink(victim, folder() / ".kept.partial");
  EXPECT_ERROR(PartialFile(folder() / "kept", Unfinished::kept), "is a symbolic link");
  EXPECT_EQ(read(victim), "mine");
}

TEST_F(PartialFileTest, KeptTellsTheSizeThatItFound) {
  EXPECT_EQ(PartialFile(folder() / "kept", Unfinished::kept).found_size(), 0);
  write(".kept.partial", "12345");
  EXPECT_EQ(PartialFile(folder() / "kept", Unfinished::kept).found_size(), 5);
}

}  // namespace
}  // namespace neurontune
