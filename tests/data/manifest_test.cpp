#include "neurontune/data/manifest.h"

#include "data/temporary_folder.h"
#include "error_matchers.h"

namespace neurontune {
namespace {

class ManifestTest : public TemporaryFolderTest {
 protected:
  Manifest read_csv(const std::string& text) const {
    return Manifest::read(write("metadata.csv", text));
  }
};

TEST_F(ManifestTest, WaterbirdsManifestIsRead) {
  const Manifest manifest = read_csv(
      "img_id,img_filename,y,split,place,place_filename\n"
      "1,001.Albatross/a.jpg,1,0,0,/b/bamboo_forest/1.jpg\n"
      "2,001.Albatross/b.jpg,0,1,1,/o/ocean/2.jpg\n"
      "3,002.Bunting/c.jpg,0,2,1,/o/ocean/3.jpg\n"
      "4,002.Bunting/d.jpg,1,0,1,/o/ocean/4.jpg\n");
  ASSERT_EQ(manifest.splits.size(), 3U);
  const auto& train = manifest.splits.at("train");
  ASSERT_EQ(train.size(), 2U);
  EXPECT_EQ(train[0].sample, "001.Albatross/a.jpg") << "img_filename goes before img_id";
  EXPECT_EQ(train[0].label, 1);
  EXPECT_EQ(train[0].attribute, 0);
  EXPECT_EQ(train[0].line, 2);
  EXPECT_EQ(train[1].sample, "002.Bunting/d.jpg");
  EXPECT_EQ(train[1].line, 5);
  EXPECT_EQ(manifest.splits.at("val")[0].attribute, 1);
  EXPECT_EQ(manifest.splits.at("test")[0].label, 0);
  EXPECT_TRUE(manifest.has_attributes);
}

TEST_F(ManifestTest, TheFirstNameOfAColumnCounts) {
  const Manifest manifest = read_csv("spurious,label,path,y,a,filename,split\n7,8,p,1,2,f,train\n");
  const ManifestRow& row = manifest.splits.at("train")[0];
  EXPECT_EQ(row.sample, "f");
  EXPECT_EQ(row.label, 1);
  EXPECT_EQ(row.attribute, 2);
}

TEST_F(ManifestTest, WindowsLinesBomQuotesSpacesAndEmptyLinesAreRead) {
  const Manifest manifest = read_csv(
      "\xEF\xBB\xBF\"path\" , y,split\r\n"
      "\r\n"
      "\"a, \"\"b\"\".png\",0,train\r\n"
      "   \r\n"
      "c.png , 1 , val");
  EXPECT_EQ(manifest.splits.at("train")[0].sample, "a, \"b\".png");
  EXPECT_EQ(manifest.splits.at("train")[0].line, 3);
  EXPECT_EQ(manifest.splits.at("val")[0].sample, "c.png");
  EXPECT_EQ(manifest.splits.at("val")[0].label, 1);
  EXPECT_FALSE(manifest.has_attributes);
}

TEST_F(ManifestTest, TextOfWideCharactersIsNamedAsSuch) {
  const auto wide = [](const std::string& text, size_t bytes, bool big_endian) {
    std::string encoded;
    for (const char c : text) {
      encoded += big_endian ? std::string(bytes - 1, '\0') + c : c + std::string(bytes - 1, '\0');
    }
    return encoded;
  };
  const std::string csv = "path,y,split\n0.png,0,0\n";
  EXPECT_ERROR(read_csv("\xFF\xFE" + wide(csv, 2, false)), "is UTF-16 text, expected UTF-8");
  EXPECT_ERROR(read_csv("\xFE\xFF" + wide(csv, 2, true)), "is UTF-16 text, expected UTF-8");
  EXPECT_ERROR(read_csv(wide(csv, 2, false)), "is UTF-16 text");
  EXPECT_ERROR(read_csv(std::string("\xFF\xFE\0\0", 4) + wide(csv, 4, false)), "is UTF-32 text");
  EXPECT_ERROR(read_csv(wide(csv, 4, true)), "is UTF-32 text");
}

TEST_F(ManifestTest, QuotesMayHoldLineBreaks) {
  const std::string start = "comment,path,y,split\n\"first\r\n\r\nthird, \"\"so\"\"\",a,1,0\n";
  const Manifest manifest = read_csv(start + "short,b,0,0\n");
  EXPECT_EQ(manifest.splits.at("train")[0].sample, "a");
  EXPECT_EQ(manifest.splits.at("train")[0].label, 1);
  EXPECT_EQ(manifest.splits.at("train")[0].line, 2);
  EXPECT_EQ(manifest.splits.at("train")[1].line, 5);
  EXPECT_ERROR(read_csv(start + "short,b,x,0\n"), "line 5: y is `x`");
}

TEST_F(ManifestTest, EmptyCellsAndMinusOneAreAttributesThatAreNotKnown) {
  const auto manifest = read_csv("path,y,split,a\nx,0,0,1\nz,0,0,\nw,0,0,-1\n");
  EXPECT_TRUE(manifest.has_attributes);
  EXPECT_EQ(manifest.splits.at("train")[0].attribute, 1);
  EXPECT_EQ(manifest.splits.at("train")[1].attribute, std::nullopt);
  EXPECT_EQ(manifest.splits.at("train")[2].attribute, std::nullopt);
  EXPECT_FALSE(read_csv("path,y,split,a\nx,0,0,\nz,0,1,\n").has_attributes);
}

TEST_F(ManifestTest, AMisspeltColumnOfAttributesIsNamed) {
  EXPECT_THAT(read_csv("path,y,split,pllace\nx,0,0,1\n").warnings,
              ::testing::ElementsAre((folder() / "metadata.csv").string() +
                                     ": there are no attributes; the file has a column pllace, did "
                                     "you mean place?"));
  EXPECT_TRUE(read_csv("path,y,split,pllace,a\nx,0,0,1,0\n").warnings.empty());
  EXPECT_TRUE(read_csv("path,y,split,size\nx,0,0,1\n").warnings.empty());
}

TEST_F(ManifestTest, GroupsGiveAttributes) {
  const Manifest manifest =
      read_csv("path,y,split,group\np,0,0,0\nq,0,0,2\nr,1,1,4\ns,2,2,6\n");  // A = 3
  EXPECT_EQ(manifest.splits.at("train")[0].attribute, 0);
  EXPECT_EQ(manifest.splits.at("train")[1].attribute, 2);
  EXPECT_EQ(manifest.splits.at("val")[0].attribute, 1);
  EXPECT_EQ(manifest.splits.at("test")[0].attribute, 0);
  EXPECT_TRUE(manifest.has_attributes);
}

TEST_F(ManifestTest, GroupsThatContradictTheirLabelsAreRefused) {
  EXPECT_ERROR(read_csv("path,y,split,group\np,0,0,3\nq,1,1,2\n"),
               "line 3 (label 1, group 2) contradicts line 2 (label 0, group 3)");
  EXPECT_ERROR(read_csv("path,y,split,group\np,1,0,0\n"), "line 2 (label 1, group 0)");
}

TEST_F(ManifestTest, AttributesAreReadAsPandasWritesThemWhereSomeAreMissing) {
  for (const char* column : {"a", "group"}) {
    const auto manifest = read_csv(std::string("path,y,split,") + column +
                                   "\np,0,0,0.0\nq,0,0,\nr,0,0,nan\ns,0,0,-1.0\nt,0,0,1.0\n");
    const auto& rows = manifest.splits.at("train");
    EXPECT_EQ(rows[0].attribute, 0) << column;
    for (const size_t row : {1, 2, 3}) EXPECT_FALSE(rows[row].attribute.has_value()) << column;
    EXPECT_EQ(rows[4].attribute, 1) << column;
  }
  EXPECT_ERROR(read_csv("path,y,split,a\np,0,0,0.5\n"), "a is `0.5`, expected an integer");
}

TEST_F(ManifestTest, AColumnOfAttributesThatHasNoneIsNamed) {
  EXPECT_THAT(read_csv("path,y,split,place\nx,0,0,\n").warnings,
              ::testing::ElementsAre(::testing::HasSubstr("the column place has none in any row")));
}

TEST_F(ManifestTest, MissingColumnsAreNamedWithThoseFound) {
  EXPECT_ERROR(read_csv("image,y,\"a, b\",split\nx,0,1,0\n"),
               "lacks a column for a sample (img_filename, filename, path or img_id); columns "
               "found: image, y, a, b, split");
  EXPECT_ERROR(read_csv("x\n1\n"),
               "a sample (img_filename, filename, path or img_id), a label (y "
               "or label), a split (split); columns found: x");
}

TEST_F(ManifestTest, CellsThatAreNotWhatTheirColumnHoldsAreRefused) {
  for (const char* label : {"cat", "-1", "1.0", "", "99999999999999999999", "4294967296", "0x1"}) {
    EXPECT_ERROR(
        read_csv("path,y,split\na,0,0\nb," + std::string(label) + ",0\n"),
        "metadata.csv: line 3: y is `" + std::string(label) + "`, expected an integer from 0");
  }
  EXPECT_ERROR(read_csv("path,y,split,place\na,0,0,land\n"), "line 2: place is `land`");
  EXPECT_ERROR(read_csv("path,y,split\na,0,3\n"), "split is `3`, expected 0, 1, 2, train, val");
  EXPECT_ERROR(read_csv("path,y,split\n,0,0\n"), "line 2: path is empty");
  EXPECT_ERROR(read_csv("path,y,split\np,\"a\nb\",0\n"), "y is `a b`, expected an integer");
}

TEST_F(ManifestTest, OtherNamesOfSplitsAreUnderstood) {
  const Manifest manifest =
      read_csv("path,y,split\na,0,training\nb,0,valid\nc,0,validation\nd,0,te\n");
  EXPECT_EQ(manifest.split_names(), std::vector<std::string>({"train", "val", "test"}));
  EXPECT_EQ(manifest.splits.at("val").size(), 2U);
}

TEST_F(ManifestTest, MalformedFilesAreRefused) {
  EXPECT_ERROR(Manifest::read(folder() / "absent.csv"), "absent.csv: cannot be opened: No such");
  EXPECT_ERROR(Manifest::read(folder()), "is a folder");
  EXPECT_ERROR(read_csv(""), "metadata.csv: is empty");
  EXPECT_ERROR(read_csv("path,y,split\n"), "has no row");
  EXPECT_ERROR(read_csv("path,y,y,split\na,0,0,0\n"), "has column `y` twice");
  EXPECT_ERROR(read_csv("path,y,split\na,0\n"), "line 2 has fewer columns");
  EXPECT_ERROR(read_csv("path,y,split\na,0,0,0\n"), "line 2 has more columns");
  EXPECT_ERROR(read_csv("path,y,split\n\"a,0,0\n"), "line 2 has a quote that is not closed");
}

}  // namespace
}  // namespace neurontune
