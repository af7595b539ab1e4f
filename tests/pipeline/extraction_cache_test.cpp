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
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const MadeFrom kParts = {{"model", std::string(40, 'm')}, {"batch size", "64"}, {"speed-up", ""}};

/// The same with another text of one part.
MadeFrom with(const std::string& part, const std::string& text) {
  auto parts = kParts;
  for (auto& [what, is] : parts)
    if (what == part) is = text;
  return parts;
}

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
    made.remember("val", {key_of(kParts), kParts, {}});
    return made;
  }

  /// Why the cache as it lies on the disk does not hold a split.
  std::string mismatch(const std::string& split, const MadeFrom& parts = kParts) const {
    return cache().mismatch(split, parts);
  }
};

TEST_F(ExtractionCacheTest, HoldsWhatWasRememberedAndIsWhole) {
  EXPECT_EQ(with_val().mismatch("val", kParts), "");
  EXPECT_EQ(mismatch("val"), "") << "read again from the folder";
}

TEST_F(ExtractionCacheTest, WithoutAnEntryASplitIsNotHeld) {
  write_split("val");
  EXPECT_EQ(mismatch("val"), "the folder does not hold it yet");
}

TEST_F(ExtractionCacheTest, ASplitMadeFromSomethingElseIsNotHeldAndWhatChangedIsTold) {
  with_val();
  EXPECT_EQ(mismatch("val", with("batch size", "32")), "batch size was 64, now 32");
  EXPECT_EQ(mismatch("val", with("speed-up", "fast")), "speed-up was none, now fast");
  EXPECT_EQ(mismatch("val", with("model", std::string(40, 'n'))), "model has changed");
}

TEST_F(ExtractionCacheTest, AnEntryThatIsReadAndWrittenAgainIsTheSame) {
  with_val();
  const auto before = read(folder() / "cache.json");
  auto again = cache();
  again.remember("test", {"key", {}, {}});
  again.forget("test");
  EXPECT_EQ(read(folder() / "cache.json"), before);
}

TEST_F(ExtractionCacheTest, AnEntryThatDoesNotSayWhatItIsOfIsNotHeldEither) {
  write_split("val");
  cache().remember("val", {key_of(kParts), {}, {}});
  EXPECT_EQ(mismatch("val"), "");
  EXPECT_EQ(mismatch("val", with("batch size", "32")), "it was made from something else");
}

TEST(KeyOf, DiffersWhereAnyPartDoes) {
  for (const auto& [part, text] : kParts) EXPECT_NE(key_of(with(part, "other")), key_of(kParts));
}

TEST_F(ExtractionCacheTest, ASplitThatIsGoneIsNotHeld) {
  with_val();
  fs::remove(folder() / "val.safetensors");
  EXPECT_THAT(mismatch("val"), HasSubstr("val.safetensors"));
}

TEST_F(ExtractionCacheTest, ASplitWhoseNumbersChangedIsNotHeld) {
  with_val();
  auto bytes = read(folder() / "val.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write("val.safetensors", bytes);
  EXPECT_THAT(mismatch("val"), HasSubstr("val.safetensors"));
}

TEST_F(ExtractionCacheTest, ASplitWithoutADigestIsNotHeld) {
  with_val();
  write_safetensors(folder() / "val.safetensors",
                    {{"embeddings", counted_rows(4, 2)}, {"labels", at::arange(4)}});
  EXPECT_EQ(mismatch("val"), "its file carries no digest");
}

TEST_F(ExtractionCacheTest, WhatIsForgottenIsForgottenOnDiskAndTheRestIsNot) {
  auto made = with_val();
  write_split("test");
  made.remember("test", {key_of(kParts), kParts, {}});
  made.forget("val");
  made.forget("never there");
  EXPECT_NE(mismatch("val"), "");
  EXPECT_EQ(mismatch("test"), "");
}

TEST_F(ExtractionCacheTest, SkippedSamplesComeBackWhateverTheirNames) {
  auto made = cache();
  made.remember("val", {"key", {}, {{"caf\xE9.jpg", "it is \"empty\""}, {"b", "no file"}}});
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
