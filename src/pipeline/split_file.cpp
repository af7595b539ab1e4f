#include "pipeline/split_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/byte_escapes.h"
#include "data/file_io.h"
#include "data/json_text.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kBatchesBetweenEntries = 4;  // as many may be lost
constexpr int64_t kRowsCopiedAtOnce = 4096;

}  // namespace

SplitFile::SplitFile(const std::filesystem::path& folder, const DatasetSplit& split, std::string key,
                     at::ScalarType dtype, int64_t embedding_dim)
    : path_(folder / (split.name + ".safetensors")),
      journal_(folder / ("." + split.name + ".journal.json")),
      dataset_(*split.dataset),
      key_(std::move(key)),
      dtype_(dtype),
      embedding_dim_(embedding_dim),
      writer_(std::make_unique<SafetensorsWriter>(path_, specs(dataset_.size()),
                                                  Unfinished::kept)) {
  read_journal();
}

std::vector<TensorSpec> SplitFile::specs(int64_t rows) const {
  std::vector<TensorSpec> tensors = {{"embeddings", dtype_, {rows, embedding_dim_}},
                                     {"labels", at::kLong, {rows}}};
  if (dataset_.attributes().defined()) tensors.push_back({"attributes", at::kLong, {rows}});
  return tensors;
}

void SplitFile::read_journal() {
  const auto json = read_json_or_null(journal_);
  if (!json.is_object() || json.value("key", "") != key_) return;  // none, or of other rows
  rows_done_ = rows_in_journal_ = json.value("rows", int64_t{0});
  for (const auto& skipped : json.value("skipped", Json::array()))
    skipped_.push_back({skipped.value("row", int64_t{0}), unescaped(skipped.value("reason", ""))});
}

void SplitFile::write_journal() const {
  Json json = {{"key", key_}, {"rows", rows_done_}, {"skipped", Json::array()}};
  for (const auto& [row, reason] : skipped_)
    json["skipped"].push_back({{"row", row}, {"reason", reason}});
  write_file(journal_, json_text(std::move(json), 1) + "\n");
}

void SplitFile::add(const Batch& batch, const at::Tensor& embeddings) {
  if (batch.skipped.empty()) {
    writer_->write_rows("embeddings", batch.first, embeddings.to(dtype_));
  } else {
    int64_t next = 0;
    auto bad = batch.skipped.begin();
    for (int64_t row = batch.first; row < batch.last; ++row) {
      if (bad != batch.skipped.end() && bad->row == row) {
        ++bad;
        continue;
      }
      writer_->write_rows("embeddings", row, embeddings.narrow(0, next++, 1).to(dtype_));
    }
    skipped_.insert(skipped_.end(), batch.skipped.begin(), batch.skipped.end());
  }
  rows_done_ = batch.last;
  if (rows_done_ - rows_in_journal_ < kBatchesBetweenEntries * (batch.last - batch.first)) return;
  writer_->sync();  // the journal must not be ahead of the rows, not even after a power failure
  write_journal();
  rows_in_journal_ = rows_done_;
}

at::Tensor SplitFile::kept_rows() const {
  const auto kept = at::ones({dataset_.size()}, at::kBool);
  for (const auto& skipped : skipped_) kept[skipped.row].fill_(false);
  return kept.nonzero().squeeze(1);
}

void SplitFile::write_labels(SafetensorsWriter& writer, const at::Tensor& rows) const {
  writer.write_rows("labels", 0, dataset_.labels().index_select(0, rows));
  if (const auto attributes = dataset_.attributes(); attributes.defined())
    writer.write_rows("attributes", 0, attributes.index_select(0, rows));
}

/// The matrix without the skipped rows, in a file of that size.
void SplitFile::copy_kept_rows(const at::Tensor& rows) {
  const auto all = read_safetensors(writer_->unfinished_path()).at("embeddings");
  SafetensorsWriter smaller(path_, specs(rows.size(0)));
  int64_t first = 0;
  for (const auto& some : rows.split(kRowsCopiedAtOnce)) {
    smaller.write_rows("embeddings", first, all.index_select(0, some));
    first += some.size(0);
  }
  write_labels(smaller, rows);
  smaller.finish();
  std::filesystem::remove(writer_->unfinished_path());
}

void SplitFile::finish() {
  const auto rows = kept_rows();
  if (rows.size(0) == 0)
    throw Error(path_.string() + ": no sample could be read, the first because " +
                skipped_.front().reason);
  std::string text;
  const auto ids = dataset_.ids();
  for (int64_t i = 0; i < rows.size(0); ++i)
    text += escaped_line(ids[static_cast<std::size_t>(rows[i].item<int64_t>())]) + "\n";
  write_file(std::filesystem::path(path_).replace_extension(".ids.txt"), text);
  if (skipped_.empty()) {
    write_labels(*writer_, rows);
    writer_->finish();
  } else {
    copy_kept_rows(rows);
  }
  std::filesystem::remove(journal_);
}

}  // namespace neurontune
