#include "pipeline/extraction_cache.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/split_digest.h"
#include "data/temporary_folder.h"
#include "neurontune/io/safetensors.h"
#include "rows_dataset.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::SizeIs;

class ExtractionCacheTest : public TemporaryFolderTest {
 protected:
  /// A whole split, as extraction leaves one.
  void write_split(const std::string& name) const {
    const auto embeddings = counted_rows(4, 2), labels = at::arange(4);
    SafetensorsWriter writer(folder() / (name + ".safetensors"),
                             {{"embeddings", at::kFloat, {4, 2}}, {"labels", at::kLong, {4}}},
                             Unfinished::removed, WithDigest::yes);
    writer.write_rows("embeddings", 0, embeddings);
    writer.write_rows("labels", 0, labels);
    writer.set_digest(split_digest({{"embeddings", embeddings}, {"labels", labels}}));
    writer.finish();
  }

  ExtractionCache cache() const { return ExtractionCache(folder()); }

  ExtractionCache with_val() const {
    write_split("val");
    auto made = cache();
    made.remember("val", {"key", {}});
    return made;
  }
};

TEST_F(ExtractionCacheTest, HoldsWhatWasRememberedAndIsWhole) {
  EXPECT_TRUE(with_val().holds("val", "key"));
  EXPECT_TRUE(cache().holds("val", "key")) << "read again from the folder";
}

TEST_F(ExtractionCacheTest, WithoutAnEntryASplitIsNotHeld) {
  write_split("val");
  EXPECT_FALSE(cache().holds("val", "key"));
}

TEST_F(ExtractionCacheTest, ASplitMadeFromSomethingElseIsNotHeld) {
  EXPECT_FALSE(with_val().holds("val", "another key"));
}

TEST_F(ExtractionCacheTest, ASplitThatIsGoneIsNotHeld) {
  const auto made = with_val();
  fs::remove(folder() / "val.safetensors");
  EXPECT_FALSE(made.holds("val", "key"));
}

TEST_F(ExtractionCacheTest, ASplitWhoseNumbersChangedIsNotHeld) {
  const auto made = with_val();
  auto bytes = read(folder() / "val.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write("val.safetensors", bytes);
  EXPECT_FALSE(made.holds("val", "key"));
}

TEST_F(ExtractionCacheTest, ASplitWithoutADigestIsNotHeld) {
  const auto made = with_val();
  write_safetensors(folder() / "val.safetensors",
                    {{"embeddings", counted_rows(4, 2)}, {"labels", at::arange(4)}});
  EXPECT_FALSE(made.holds("val", "key"));
}

TEST_F(ExtractionCacheTest, WhatIsForgottenIsForgottenOnDiskAndTheRestIsNot) {
  auto made = with_val();
  write_split("test");
  made.remember("test", {"key", {}});
  made.forget("val");
  made.forget("never there");
  EXPECT_FALSE(cache().holds("val", "key"));
  EXPECT_TRUE(cache().holds("test", "key"));
}

TEST_F(ExtractionCacheTest, SkippedSamplesComeBackWhateverTheirNames) {
  auto made = cache();
  made.remember("val", {"key", {{"caf\xE9.jpg", "it is \"empty\""}, {"b", "no file"}}});
  const auto entries = cache().entries();
  ASSERT_THAT(entries.at("val").skipped, SizeIs(2));
  EXPECT_EQ(entries.at("val").skipped[0].sample, "caf\xE9.jpg");
  EXPECT_EQ(entries.at("val").skipped[0].reason, "it is \"empty\"");
  EXPECT_EQ(entries.at("val").skipped[1].sample, "b");
}

TEST_F(ExtractionCacheTest, AListThatCannotBeTrustedIsAsGoodAsNone) {
  for (const auto* text :
       {"", "{", "[]", R"({"val": 1})", R"({"val": {}})", R"({"val": {"key": 1}})",
        R"({"val": {"key": "key"}, "../val": {"key": "key"}})",
        R"({"val": {"key": "key", "skipped": [{"sample": "a"}]}})"}) {
    write("cache.json", text);
    EXPECT_THAT(cache().entries(), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace neurontune
