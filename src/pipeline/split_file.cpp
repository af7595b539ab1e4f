#include "pipeline/split_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/byte_escapes.h"
#include "data/split_digest.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kBatchesBetweenEntries = 4;  // as many may be lost
constexpr int64_t kRowsAtOnce = 4096;

}  // namespace

SplitFile::SplitFile(const std::filesystem::path& folder, const DatasetSplit& split,
                     std::string key, at::ScalarType dtype, int64_t embedding_dim)
    : path_(folder / (split.name + ".safetensors")),
      journal_(folder / ("." + split.name + ".journal.json")),
      dataset_(*split.dataset),
      key_(std::move(key)),
      dtype_(dtype),
      embedding_dim_(embedding_dim),
      writer_(std::make_unique<SafetensorsWriter>(path_, specs(dataset_.size()), Unfinished::kept,
                                                  WithDigest::yes)) {
  read_journal();
}

std::vector<TensorSpec> SplitFile::specs(int64_t rows) const {
  std::vector<TensorSpec> tensors = {{"embeddings", dtype_, {rows, embedding_dim_}},
                                     {"labels", at::kLong, {rows}}};
  if (dataset_.attributes().defined()) tensors.push_back({"attributes", at::kLong, {rows}});
  return tensors;
}

/// Believes a journal that is of the same rows and that the unfinished file bears out; else none.
void SplitFile::read_journal() {
  try {
    if (writer_->found_whole()) read_journal_rows();
  } catch (const std::exception&) {  // none, damaged, or of other rows
    rows_done_ = 0;
    skipped_.clear();
    digest_ = Digest();
  }
  rows_in_journal_ = rows_done_;
  if (rows_done_ == 0) std::filesystem::remove(journal_);
}

/// @throws std::exception if the journal cannot be believed
void SplitFile::read_journal_rows() {
  const auto json = parse_json(read_file(journal_));
  if (json.at("key") != key_) throw Error("rows of something else");
  rows_done_ = json.at("rows").get<int64_t>();
  if (rows_done_ < 0 || rows_done_ > dataset_.size()) throw Error("more rows than there are");
  int64_t after = 0;
  for (const auto& skipped : json.at("skipped")) {
    const auto row = skipped.at("row").get<int64_t>();
    if (row < after || row >= rows_done_) throw Error("rows out of order");
    skipped_.push_back({row, unescaped(skipped.at("reason").get<std::string>())});
    after = row + 1;
  }
  const auto rows = kept_rows();
  const auto all = read_safetensors(writer_->unfinished_path()).at("embeddings");
  for (const auto& some : rows.narrow(0, 0, rows_done_ - std::ssize(skipped_)).split(kRowsAtOnce))
    add_tensor(digest_, all.index_select(0, some));
  if (digest_.text() != json.at("digest")) throw Error("other rows");
}

void SplitFile::write_journal() const {
  Json json = {
      {"key", key_}, {"rows", rows_done_}, {"digest", digest_.text()}, {"skipped", Json::array()}};
  for (const auto& [row, reason] : skipped_)
    json["skipped"].push_back({{"row", row}, {"reason", reason}});
  write_file(journal_, json_text(std::move(json), 1) + "\n");
}

void SplitFile::add(const Batch& batch, const at::Tensor& embeddings) {
  const auto stored = embeddings.defined() ? embeddings.to(dtype_).cpu() : embeddings;
  if (stored.defined()) add_tensor(digest_, stored);
  if (batch.skipped.empty()) {
    writer_->write_rows("embeddings", batch.first, stored);
  } else {
    int64_t next = 0;
    auto bad = batch.skipped.begin();
    for (int64_t row = batch.first; row < batch.last; ++row) {
      if (bad != batch.skipped.end() && bad->row == row) {
        ++bad;
        continue;
      }
      writer_->write_rows("embeddings", row, stored.narrow(0, next++, 1));
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

/// Writes what is known of the rows, and the digest of all.
void SplitFile::write_labels(SafetensorsWriter& writer, const at::Tensor& rows) {
  const auto write = [&](const char* name, const at::Tensor& column) {
    const auto kept = column.index_select(0, rows);
    writer.write_rows(name, 0, kept);
    add_tensor(digest_, kept);
  };
  write("labels", dataset_.labels());
  if (const auto attributes = dataset_.attributes(); attributes.defined())
    write("attributes", attributes);
  writer.set_digest(digest_.text());
  writer.sync();
}

/// The matrix without the skipped rows, in a file of that size.
void SplitFile::copy_kept_rows(const at::Tensor& rows) {
  const auto all = read_safetensors(writer_->unfinished_path()).at("embeddings");
  SafetensorsWriter smaller(path_, specs(rows.size(0)), Unfinished::removed, WithDigest::yes);
  int64_t first = 0;
  for (const auto& some : rows.split(kRowsAtOnce)) {
    smaller.write_rows("embeddings", first, all.index_select(0, some));
    first += some.size(0);
  }
  write_labels(smaller, rows);
  smaller.finish();
  std::filesystem::remove(journal_);
  std::filesystem::remove(writer_->unfinished_path());
}

void SplitFile::write_ids(const at::Tensor& rows) const {
  std::string text;
  const auto ids = dataset_.ids();
  for (int64_t i = 0; i < rows.size(0); ++i)
    text += escaped_line(ids[static_cast<std::size_t>(rows[i].item<int64_t>())]) + "\n";
  write_file(std::filesystem::path(path_).replace_extension(".ids.txt"), text);
}

void SplitFile::finish() {
  const auto rows = kept_rows();
  if (rows.size(0) == 0)
    throw Error(path_.string() + ": no sample could be read, the first because " +
                skipped_.front().reason);
  write_ids(rows);
  if (!skipped_.empty()) return copy_kept_rows(rows);
  write_labels(*writer_, rows);
  std::filesystem::remove(journal_);  // before the rename: it is of the hidden file
  writer_->finish();
}

}  // namespace neurontune
