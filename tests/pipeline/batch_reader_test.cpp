#include "pipeline/batch_reader.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "error_matchers.h"
#include "on_device.h"
#include "rows_dataset.h"

namespace neurontune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Batch> all_batches(const Dataset& dataset, int64_t first, int64_t batch_size,
                               Unreadable unreadable = Unreadable::fail) {
  BatchReader reader(dataset, first, batch_size, unreadable, at::kCPU);
  std::vector<Batch> batches;
  while (auto batch = reader.next()) batches.push_back(std::move(*batch));
  return batches;
}

/// "0-4" for a batch of the rows 0 to 3.
std::vector<std::string> ranges(const std::vector<Batch>& batches) {
  std::vector<std::string> texts;
  for (const auto& batch : batches)
    texts.push_back(std::to_string(batch.first) + "-" + std::to_string(batch.last));
  return texts;
}

TEST(BatchReader, GivesEveryRowOnceInOrder) {
  const RowsDataset data(counted_rows(10, 3));
  const auto batches = all_batches(data, 0, 4);
  EXPECT_THAT(ranges(batches), ElementsAre("0-4", "4-8", "8-10"));
  std::vector<at::Tensor> inputs;
  for (const auto& batch : batches) {
    EXPECT_THAT(batch.skipped, IsEmpty());
    inputs.push_back(batch.inputs.at(0));
  }
  EXPECT_TRUE(at::cat(inputs).equal(data.rows));
}

TEST(BatchReader, BeginsWhereItIsTold) {
  const RowsDataset data(counted_rows(10, 3));
  EXPECT_THAT(ranges(all_batches(data, 4, 4)), ElementsAre("4-8", "8-10"));
  EXPECT_THAT(all_batches(data, 12, 4), IsEmpty());
}

TEST(BatchReader, AfterTheLastThereIsNoneHoweverOftenOneAsks) {
  const RowsDataset data(counted_rows(2, 1));
  BatchReader reader(data, 0, 2, Unreadable::fail, at::kCPU);
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(BatchReader, FailsAtTheBatchThatCannotBeReadAndNotBefore) {
  RowsDataset data(counted_rows(10, 3));
  data.unreadable = {5};
  BatchReader reader(data, 0, 4, Unreadable::fail, at::kCPU);
  EXPECT_EQ(reader.next()->last, 4);
  EXPECT_ERROR(reader.next(), "row 5 cannot be read");
  EXPECT_ERROR(reader.next(), "row 5 cannot be read");
}

TEST(BatchReader, SkipsTheSamplesThatCannotBeReadAndSaysWhy) {
  RowsDataset data(counted_rows(10, 3));
  data.unreadable = {5, 7, 8};
  const auto batches = all_batches(data, 0, 4, Unreadable::skip);
  ASSERT_THAT(ranges(batches), ElementsAre("0-4", "4-8", "8-10"));
  EXPECT_THAT(batches[0].skipped, IsEmpty());
  ASSERT_THAT(batches[1].skipped, SizeIs(2));
  EXPECT_EQ(batches[1].skipped[0].row, 5);
  EXPECT_EQ(batches[1].skipped[0].reason, "row 5 cannot be read");
  EXPECT_EQ(batches[1].skipped[1].row, 7);
  EXPECT_TRUE(batches[1].inputs.at(0).equal(data.rows.index_select(0, at::tensor({4, 6}))));
  EXPECT_TRUE(batches[2].inputs.at(0).equal(data.rows.slice(0, 9, 10)));
}

TEST(BatchReader, ABatchWithoutAReadableSampleHasNoInputs) {
  RowsDataset data(counted_rows(6, 3));
  data.unreadable = {2, 3};
  const auto batches = all_batches(data, 0, 2, Unreadable::skip);
  ASSERT_THAT(batches, SizeIs(3));
  EXPECT_THAT(batches[1].inputs, IsEmpty());
  EXPECT_THAT(batches[1].skipped, SizeIs(2));
  EXPECT_TRUE(batches[2].inputs.at(0).equal(data.rows.slice(0, 4, 6)));
}

TEST(BatchReader, ASkippedSampleIsMissingFromEveryInput) {
  TwoInputs data(counted_rows(3, 2));
  data.unreadable = {1};
  const auto batches = all_batches(data, 0, 3, Unreadable::skip);
  const auto kept = data.rows.index_select(0, at::tensor({0, 2}));
  ASSERT_THAT(batches.at(0).inputs, SizeIs(2));
  EXPECT_TRUE(batches[0].inputs[0].equal(kept));
  EXPECT_TRUE(batches[0].inputs[1].equal(-kept));
}

/// A fault of the program, and not of a sample.
class Broken : public RowsDataset {
 public:
  using RowsDataset::RowsDataset;
  std::vector<at::Tensor> batch(int64_t, int64_t) const override {
    throw std::logic_error("a fault of the program");
  }
};

TEST(BatchReader, OnlyUnreadableSamplesAreSkipped) {
  const Broken data(counted_rows(4, 1));
  EXPECT_THROW(all_batches(data, 0, 2, Unreadable::skip), std::logic_error);
}

/// Counts the batches that were asked for.
class Counted : public RowsDataset {
 public:
  using RowsDataset::RowsDataset;
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    ++batches;
    return RowsDataset::batch(first, last);
  }
  mutable std::atomic<int> batches = 0;
};

TEST(BatchReader, HoldsNoMoreThanTwoBatches) {
  const Counted data(counted_rows(100, 1));
  BatchReader reader(data, 0, 1, Unreadable::fail, at::kCPU);
  for (int taken = 0; taken <= 3; ++taken) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_LE(data.batches, taken + 2);
    reader.next();
  }
}

TEST(BatchReader, CanBeLeftAtAnyTime) {
  const Counted data(counted_rows(1000, 1));
  for (const int taken : {0, 1, 2}) {
    BatchReader reader(data, 0, 1, Unreadable::fail, at::kCPU);
    for (int i = 0; i < taken; ++i) reader.next();
  }
  EXPECT_LE(data.batches, 3 * 2 + 3) << "the rest is not read";
}

class BatchReaderOnDevice : public OnDevice {};

TEST_P(BatchReaderOnDevice, InputsAreWhereTheModelIs) {
  const RowsDataset data(counted_rows(7, 5));
  BatchReader reader(data, 0, 3, Unreadable::fail, device());
  while (const auto batch = reader.next()) {
    EXPECT_EQ(batch->inputs.at(0).device(), device());
    EXPECT_TRUE(batch->inputs[0].cpu().equal(data.rows.slice(0, batch->first, batch->last)));
  }
}

NEURONTUNE_ON_EVERY_DEVICE(BatchReaderOnDevice);

}  // namespace
}  // namespace neurontune
