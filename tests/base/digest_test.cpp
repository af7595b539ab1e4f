#include "base/digest.h"

#include <gtest/gtest.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"

namespace neurontune {
namespace {

TEST(Digest, IsXxh3OfXxhsum) { EXPECT_EQ(text_digest(""), "99aa06d3014798d86001c324468d497f"); }

TEST(Digest, DoesNotDependOnThePieces) {
  Digest pieces;
  pieces.add("ab");
  pieces.add("");
  pieces.add("c");
  EXPECT_EQ(pieces.text(), text_digest("abc"));
  EXPECT_NE(pieces.text(), text_digest("abd"));
  pieces.add("d");
  EXPECT_EQ(pieces.text(), text_digest("abcd"));
}

using FileDigest = TemporaryFolderTest;

TEST_F(FileDigest, IsThatOfTheContent) {
  const std::string content(3'000'000, 'x');
  EXPECT_EQ(content_digest(write("file", content)), text_digest(content));
  EXPECT_ERROR(content_digest(folder() / "none"), "none: cannot be read");
}

}  // namespace
}  // namespace neurontune
