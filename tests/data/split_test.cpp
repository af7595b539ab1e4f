#include "neurontune/data/split.h"

#include <ATen/ATen.h>

#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

TEST(SplitSelector, ParsesNamesAndParts) {
  const SplitSelector whole = SplitSelector::parse("val");
  EXPECT_EQ(whole.name, "val");
  EXPECT_EQ(whole.part, 1);
  EXPECT_EQ(whole.parts, 1);
  const SplitSelector part = SplitSelector::parse("my-split:2/10");
  EXPECT_EQ(part.name, "my-split");
  EXPECT_EQ(part.part, 2);
  EXPECT_EQ(part.parts, 10);
}

TEST(SplitSelector, OverlapsWhereRowsAreInBoth) {
  const at::Tensor labels = at::zeros({60}, at::kLong);
  for (const int64_t parts : {1, 2, 3, 4, 6})
    for (const int64_t others : {1, 2, 4, 5})
      for (int64_t part = 1; part <= parts; ++part)
        for (int64_t other = 1; other <= others; ++other) {
          const SplitSelector one{"val", part, parts}, another{"val", other, others};
          const bool common =
              at::isin(part_rows(labels, one), part_rows(labels, another)).any().item<bool>();
          EXPECT_EQ(one.overlaps(another), common)
              << part << '/' << parts << ' ' << other << '/' << others;
        }
  EXPECT_FALSE(SplitSelector::parse("val").overlaps(SplitSelector::parse("train")));
}

TEST(SplitSelector, RefusesWhatIsNeitherNameNorPart) {
  for (const char* text :
       {"", ":1/2", "val:", "val:1", "val:1/", "val:/2", "val:0/2", "val:3/2", "val:-1/2",
        "val:1/2/3", "val:1/2x", "val:one/2", "val: 1/2", "val:1/99999999999999999999"}) {
    EXPECT_ERROR_OF(OptionError, SplitSelector::parse(text), "split `" + std::string(text) + "`");
  }
}

TEST(PartRows, TakeEveryOtherRowOfEachClass) {
  const at::Tensor labels = longs({0, 1, 0, 0, 1, 0, 2});
  EXPECT_TRUE(at::equal(part_rows(labels, {"val", 1, 2}), longs({0, 1, 3, 6})));
  EXPECT_TRUE(at::equal(part_rows(labels, {"val", 2, 2}), longs({2, 4, 5})));
}

TEST(PartRows, OfTheWholeAreAll) {
  EXPECT_TRUE(at::equal(part_rows(longs({3, 1, 3}), {"val", 1, 1}), longs({0, 1, 2})));
}

TEST(PartRows, OfAllPartsCoverTheSplitOnceAndEvenly) {
  const at::Tensor labels = at::arange(1000).mul(at::arange(1000)).remainder(7);
  const int64_t parts = 3;
  std::vector<at::Tensor> rows;
  for (int64_t part = 1; part <= parts; ++part)
    rows.push_back(part_rows(labels, {"val", part, parts}));
  EXPECT_TRUE(at::equal(std::get<0>(at::cat(rows).sort()), at::arange(1000)));
  for (int64_t label = 0; label < 7; ++label) {
    const int64_t of_class = labels.eq(label).sum().item<int64_t>();
    for (const at::Tensor& part : rows) {
      const int64_t count = labels.index_select(0, part).eq(label).sum().item<int64_t>();
      EXPECT_GE(count, of_class / parts);
      EXPECT_LE(count, (of_class + parts - 1) / parts);
    }
  }
}

TEST(PartRows, AreNoneWhereAPartIsEmpty) {
  EXPECT_EQ(part_rows(longs({0, 1}), {"val", 2, 2}).size(0), 0);
}

TEST(SplitName, IsAPlainWord) {
  for (const auto* name : {"train", "val", "imagenet-a", "test.2", "a b"})
    EXPECT_NO_THROW(check_split_name(name)) << name;
  for (const auto* name : {"", "../evil", "/evil", "a/b", "a\\b", ".hidden", "val:1", "a\nb"})
    EXPECT_ERROR(check_split_name(name), "expected a plain word");
  EXPECT_ERROR(check_split_name(std::string(101, 'a')), "expected a plain word");
  for (const auto* name : {"head", "spuriousness"})
    EXPECT_ERROR(check_split_name(name), "reserved for another file");
}

}  // namespace
}  // namespace neurontune
