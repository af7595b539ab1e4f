#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/digest.h"
#include "neurontune/data/dataset.h"
#include "neurontune/io/safetensors.h"
#include "pipeline/batch_reader.h"

namespace neurontune {

/// FOLDER/SPLIT.safetensors while its rows come in: it lies hidden beside its name, whole in size,
/// with a journal of the rows that are done and their digest. A process that ends at any moment
/// loses what came after the journal's last entry, and the next one goes on from there with the
/// same bytes. A journal that the hidden file does not bear out is not believed: it begins anew.
///
/// The finished file's header carries the digest of its tensors (split_digest).
class SplitFile {
 public:
  /// @param key        what the rows are made from: those of a file with another key are not used
  /// @param embeddings the matrix to come: [N, M] in its dtype
  /// @throws Error if the file cannot be created, or another process writes it
  SplitFile(const std::filesystem::path& folder, const DatasetSplit& split, std::string key,
            at::ScalarType dtype, int64_t embedding_dim);

  /// Rows that an earlier process wrote: those before this one need not come again.
  int64_t rows_done() const { return rows_done_; }

  const std::vector<SkippedSample>& skipped() const { return skipped_; }

  /// The next rows: embeddings of a batch's samples, less the skipped ones.
  void add(const Batch& batch, const at::Tensor& embeddings);

  /// Adds labels, attributes and ids, and gives the file its name. Rows of skipped samples go.
  /// @throws Error if every sample was skipped
  void finish();

 private:
  std::vector<TensorSpec> specs(int64_t rows) const;
  at::Tensor kept_rows() const;
  void read_journal();
  void read_journal_rows();
  void write_journal() const;
  void copy_kept_rows(const at::Tensor& rows);
  void write_ids(const at::Tensor& rows) const;
  void write_labels(SafetensorsWriter& writer, const at::Tensor& rows);

  std::filesystem::path path_, journal_;
  const Dataset& dataset_;
  std::string key_;
  at::ScalarType dtype_;
  int64_t embedding_dim_;
  int64_t rows_done_ = 0, rows_in_journal_ = 0;
  Digest digest_;  ///< of the embeddings that are done, without skipped rows
  std::vector<SkippedSample> skipped_;
  std::unique_ptr<SafetensorsWriter> writer_;
};

}  // namespace neurontune
