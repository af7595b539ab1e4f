#include "pipeline/split_file.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/split_digest.h"
#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "rows_dataset.h"
#include "tensors.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kRows = 21, kWidth = 3, kBatch = 2;
constexpr int64_t kBatchesBetweenEntries = 4;  // of the journal
constexpr int64_t kFirstEntry = kBatchesBetweenEntries * kBatch;

/// A split of 21 samples whose embeddings are the doubled rows.
class SplitFileTest : public TemporaryFolderTest {
 protected:
  SplitFileTest() {
    auto rows = std::make_unique<RowsDataset>(counted_rows(kRows, kWidth));
    rows->row_attributes = at::arange(kRows).remainder(3) - 1;
    split_ = {"val", std::move(rows)};
  }

  RowsDataset& data() const { return dynamic_cast<RowsDataset&>(*split_.dataset); }

  SplitFile open(const fs::path& where, const std::string& key = "key") const {
    return {where, split_, key, at::kFloat, kWidth};
  }

  /// Adds the batches from rows_done() to row `last`, as extraction does.
  void add(SplitFile& file, int64_t last = kRows) const {
    BatchReader reader(data(), file.rows_done(), kBatch, Unreadable::skip, at::kCPU);
    while (const auto batch = reader.next()) {
      if (batch->first >= last) return;
      file.add(*batch, batch->inputs.empty() ? at::Tensor() : batch->inputs[0] * 2);
    }
  }

  /// A writer that ends before it is done.
  void interrupt_after(int64_t rows) const {
    auto file = open(folder());
    add(file, rows);
  }

  /// The bytes of a file that was written without an interruption.
  std::string expected_bytes() const {
    const auto where = folder() / "at once";
    fs::create_directory(where);
    auto file = open(where);
    add(file);
    file.finish();
    const auto bytes = read(where / "val.safetensors");
    fs::remove_all(where);
    return bytes;
  }

  fs::path journal() const { return folder() / ".val.journal.json"; }

  /// Where the rows are until the file is finished.
  fs::path unfinished() const {
    for (const auto& entry : fs::directory_iterator(folder()))
      if (entry.path().filename().string().starts_with('.') && entry.path() != journal())
        return entry.path();
    return {};
  }

  /// Expects that the next writer begins anew and still gives the same bytes.
  void expect_begun_anew() const {
    {
      auto file = open(folder());
      EXPECT_EQ(file.rows_done(), 0);
      EXPECT_THAT(file.skipped(), IsEmpty());
      add(file);
      file.finish();
    }
    EXPECT_EQ(read(folder() / "val.safetensors"), expected_bytes());
  }

  void change_journal(const std::function<void(nlohmann::ordered_json&)>& change) const {
    auto json = nlohmann::ordered_json::parse(read(journal()));
    change(json);
    write(journal().filename().string(), json.dump());
  }

 private:
  DatasetSplit split_;
};

TEST_F(SplitFileTest, HoldsEmbeddingsLabelsAttributesAndIds) {
  auto file = open(folder());
  add(file);
  file.finish();
  const auto tensors = read_safetensors(folder() / "val.safetensors");
  ASSERT_THAT(tensors, SizeIs(3));
  EXPECT_TRUE(tensors.at("embeddings").equal(data().rows * 2));
  EXPECT_TRUE(tensors.at("labels").equal(data().row_labels));
  EXPECT_TRUE(tensors.at("attributes").equal(data().row_attributes));
  const auto ids = read(folder() / "val.ids.txt");
  EXPECT_TRUE(ids.starts_with("file 0\nfile 1\n"));
  EXPECT_TRUE(ids.ends_with("file 20\n"));
  EXPECT_EQ(entries(), 2) << "nothing hidden stays";
}

TEST_F(SplitFileTest, CarriesTheDigestOfItsTensors) {
  auto file = open(folder());
  add(file);
  file.finish();
  const auto path = folder() / "val.safetensors";
  EXPECT_EQ(stored_digest(path), split_digest(read_safetensors(path)));
}

TEST_F(SplitFileTest, WithoutAttributesHasNone) {
  data().row_attributes = at::Tensor();
  auto file = open(folder());
  add(file);
  file.finish();
  EXPECT_EQ(read_safetensors(folder() / "val.safetensors").count("attributes"), 0U);
}

TEST_F(SplitFileTest, StoresTheDtypeThatItWasGiven) {
  const DatasetSplit one{"one", std::make_unique<RowsDataset>(matrix({{1.F / 3}}))};
  SplitFile file(folder(), one, "key", at::kHalf, 1);
  file.add({0, 1, {}, {}}, matrix({{1.F / 3}}));
  file.finish();
  EXPECT_TRUE(read_safetensors(folder() / "one.safetensors")
                  .at("embeddings")
                  .equal(matrix({{1.F / 3}}).to(at::kHalf)));
}

TEST_F(SplitFileTest, HasNoNameBeforeItIsFinished) {
  auto file = open(folder());
  add(file);
  EXPECT_FALSE(fs::exists(folder() / "val.safetensors"));
}

TEST_F(SplitFileTest, AnotherWriterOfTheSameFileIsRefused) {
  const auto file = open(folder());
  EXPECT_ERROR(open(folder()), "another process");
}

TEST_F(SplitFileTest, GoesOnFromTheJournalsLastEntryToTheSameBytes) {
  interrupt_after(kFirstEntry + kBatch);
  {
    auto file = open(folder());
    EXPECT_EQ(file.rows_done(), kFirstEntry);
    add(file);
    file.finish();
  }
  EXPECT_EQ(read(folder() / "val.safetensors"), expected_bytes());
  EXPECT_EQ(entries(), 2) << "nothing hidden stays";
}

TEST_F(SplitFileTest, GoesOnAgainAndAgain) {
  interrupt_after(kFirstEntry);
  {
    auto second = open(folder());
    add(second, 2 * kFirstEntry);
    EXPECT_EQ(second.rows_done(), 2 * kFirstEntry);
  }
  auto third = open(folder());
  EXPECT_EQ(third.rows_done(), 2 * kFirstEntry);
  add(third);
  third.finish();
  EXPECT_EQ(read(folder() / "val.safetensors"), expected_bytes());
}

TEST_F(SplitFileTest, BeforeTheFirstEntryBeginsAnew) {
  interrupt_after(kFirstEntry - kBatch);
  EXPECT_FALSE(fs::exists(journal()));
  expect_begun_anew();
}

TEST_F(SplitFileTest, RowsMadeFromSomethingElseAreNotGoneOnWith) {
  interrupt_after(kFirstEntry);
  EXPECT_EQ(open(folder(), "another key").rows_done(), 0);
  EXPECT_FALSE(fs::exists(journal())) << "a journal of other rows goes";
}

TEST_F(SplitFileTest, AJournalThatIsDamagedIsNotBelieved) {
  for (const auto* text : {"", "{", "[]", "{}", R"({"key": "key"})",
                           R"({"key": "key", "rows": "8", "digest": "", "skipped": []})"}) {
    SCOPED_TRACE(text);
    interrupt_after(kFirstEntry);
    write(journal().filename().string(), text);
    expect_begun_anew();
    fs::remove(folder() / "val.safetensors");
  }
}

TEST_F(SplitFileTest, AJournalOfRowsThatCannotBeIsNotBelieved) {
  const std::vector<std::pair<const char*, std::function<void(nlohmann::ordered_json&)>>> changes =
      {{"fewer than none", [](auto& json) { json["rows"] = -2; }},
       {"more than there are", [](auto& json) { json["rows"] = kRows + 1; }},
       {"others", [](auto& json) { json["rows"] = kFirstEntry - kBatch; }},
       {"skipped beyond what is done",
        [](auto& json) {
          json["skipped"] = {{{"row", kFirstEntry}, {"reason", ""}}};
        }},
       {"skipped twice",
        [](auto& json) {
          json["skipped"] = {{{"row", 1}, {"reason", ""}}, {{"row", 1}, {"reason", ""}}};
        }},
       {"skipped that is not", [](auto& json) {
          json["skipped"] = {{{"row", 1}, {"reason", ""}}};
        }}};
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    interrupt_after(kFirstEntry);
    change_journal(change);
    expect_begun_anew();
    fs::remove(folder() / "val.safetensors");
  }
}

TEST_F(SplitFileTest, RowsThatChangedUnderTheJournalAreNotGoneOnWith) {
  interrupt_after(kFirstEntry);
  auto bytes = read(unfinished());
  const float seven = 2 * 7;  // of the third row
  const auto place = bytes.find(std::string(reinterpret_cast<const char*>(&seven), sizeof seven));
  ASSERT_NE(place, std::string::npos);
  bytes[place] = static_cast<char>(bytes[place] + 1);
  write(unfinished().filename().string(), bytes);
  expect_begun_anew();
}

TEST_F(SplitFileTest, AJournalWithoutTheWholeFileIsNotBelieved) {
  interrupt_after(kFirstEntry);
  fs::resize_file(unfinished(), fs::file_size(unfinished()) - 1);
  expect_begun_anew();
  fs::remove(folder() / "val.safetensors");

  interrupt_after(kFirstEntry);
  fs::remove(unfinished());
  expect_begun_anew();
}

TEST_F(SplitFileTest, SkippedSamplesAreInNoneOfItsTensors) {
  data().unreadable = {0, 4, 5, 20};
  auto file = open(folder());
  add(file);
  file.finish();
  std::vector<int64_t> kept;
  for (int64_t row = 0; row < kRows; ++row)
    if (data().unreadable.count(row) == 0) kept.push_back(row);
  const auto rows = longs(kept);
  const auto path = folder() / "val.safetensors";
  const auto tensors = read_safetensors(path);
  EXPECT_TRUE(tensors.at("embeddings").equal(data().rows.index_select(0, rows) * 2));
  EXPECT_TRUE(tensors.at("labels").equal(data().row_labels.index_select(0, rows)));
  EXPECT_TRUE(tensors.at("attributes").equal(data().row_attributes.index_select(0, rows)));
  EXPECT_EQ(stored_digest(path), split_digest(tensors));
  const auto ids = read(folder() / "val.ids.txt");
  EXPECT_TRUE(ids.starts_with("file 1\nfile 2\nfile 3\nfile 6\n"));
  EXPECT_EQ(std::count(ids.begin(), ids.end(), '\n'), rows.size(0));
  EXPECT_EQ(entries(), 2) << "nothing hidden stays";
}

TEST_F(SplitFileTest, SkippedSamplesAreKnownAfterAnInterruption) {
  data().unreadable = {1, 6, 7, 12};
  interrupt_after(kFirstEntry + kBatch);
  {
    auto file = open(folder());
    EXPECT_EQ(file.rows_done(), kFirstEntry);
    ASSERT_THAT(file.skipped(), SizeIs(3));
    EXPECT_EQ(file.skipped()[1].row, 6);
    EXPECT_EQ(file.skipped()[1].reason, "row 6 cannot be read");
    add(file);
    file.finish();
    EXPECT_THAT(file.skipped(), SizeIs(4));
  }
  EXPECT_EQ(read(folder() / "val.safetensors"), expected_bytes());
}

TEST_F(SplitFileTest, WithoutAnySampleThereIsNoFile) {
  for (int64_t row = 0; row < kRows; ++row) data().unreadable.insert(row);
  auto file = open(folder());
  add(file);
  EXPECT_ERROR(file.finish(),
               "val.safetensors: no sample could be read, the first because row 0 cannot be read");
  EXPECT_FALSE(fs::exists(folder() / "val.safetensors"));
}

/// A sample whose name has a line break.
class OddNames : public RowsDataset {
 public:
  using RowsDataset::RowsDataset;
  std::vector<std::string> ids() const override { return {"two\nlines", "one"}; }
};

TEST_F(SplitFileTest, EveryIdIsOneLine) {
  const DatasetSplit odd{"odd", std::make_unique<OddNames>(counted_rows(2, 1))};
  SplitFile file(folder(), odd, "key", at::kFloat, 1);
  file.add({0, 2, {}, {}}, counted_rows(2, 1));
  file.finish();
  EXPECT_EQ(read(folder() / "odd.ids.txt"), "two\\x0Alines\none\n");
}

}  // namespace
}  // namespace neurontune
