#include "io/result_file.h"

#include "data/temporary_folder.h"
#include "error_matchers.h"

namespace neurontune {
namespace {

using ResultFileTest = TemporaryFolderTest;

TEST_F(ResultFileTest, AnEarlierOneGoesAtOnceAndTheNewOneComesWhole) {
  const auto path = write("checks.xml", "<xml earlier>");
  const ResultFile file(path, "<xml");
  EXPECT_EQ(entries(), 0);
  file.write("<xml now>");
  EXPECT_EQ(read(path), "<xml now>");
  EXPECT_EQ(entries(), 1);
}

TEST_F(ResultFileTest, SomebodyElsesStays) {
  const auto path = write("data.csv", "img_filename,y\n");
  EXPECT_ERROR(ResultFile(path, "id,label"),
               "data.csv: is there, and was not written by neurontune");
  EXPECT_EQ(read(path), "img_filename,y\n");
  std::filesystem::create_symlink(path, folder() / "link");
  EXPECT_ERROR(ResultFile(folder() / "link", "id,label"), "was not written by neurontune");
}

TEST_F(ResultFileTest, WhatCameMeanwhileStaysToo) {
  const ResultFile file(folder() / "new" / "checks.xml", "<xml");
  write("new/checks.xml", "somebody else's");
  EXPECT_ERROR(file.write("<xml>"), "was not written by neurontune");
  EXPECT_EQ(read(folder() / "new" / "checks.xml"), "somebody else's");
}

TEST_F(ResultFileTest, WithoutANameNothingIsWritten) {
  ResultFile("", "<xml").write("<xml>");
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace neurontune
