#include "data/token_dataset.h"

#include <ATen/ATen.h>

#include <utility>

#include "base/describe.h"
#include "base/digest.h"
#include "data/manifest_reader.h"
#include "data/tensor_file.h"
#include "io/tensor_bytes.h"
#include "neurontune/base/error.h"
#include "neurontune/io/safetensors.h"

namespace neurontune {
namespace {

constexpr const char* kTensor = "inputs";

}  // namespace

at::Tensor read_tokens(const Manifest& manifest, Findings& findings) {
  const std::string where = manifest.tensors.string();
  const auto tensors = read_safetensors(manifest.tensors, {kTensor});
  const auto inputs = tensors.find(kTensor);
  if (inputs == tensors.end()) {
    throw Error(where + ": has no tensor " + kTensor + "; " + held_by(manifest.tensors));
  }
  const at::Tensor& tokens = inputs->second;
  if (tokens.scalar_type() != at::kLong || tokens.dim() != 3 || tokens.size(2) != 3) {
    throw Error(where + ": " + kTensor + " is " + describe(tokens) +
                ", expected int64 [N, L, 3]: ids, mask and segment of each token");
  }
  if (tokens.size(0) != manifest.rows) {
    findings.add(0, manifest.tensors.filename().string() + " has " +
                        std::to_string(tokens.size(0)) + " rows, the manifest has " +
                        std::to_string(manifest.rows));
  }
  return tokens;
}

TokenDataset::TokenDataset(const Manifest& manifest, const std::vector<ManifestRow>& rows,
                           at::Tensor tokens)
    : manifest_(manifest.path), file_(manifest.tensors), tokens_(std::move(tokens)) {
  std::vector<int64_t> numbers, labels;
  for (const ManifestRow& row : rows) {
    numbers.push_back(row.number);
    labels.push_back(row.label);
    ids_.push_back(row.sample);
    lines_.push_back(row.line);
  }
  rows_ = at::tensor(numbers, at::kLong);
  labels_ = at::tensor(labels, at::kLong);
  attributes_ = attributes_of(rows);
}

std::string TokenDataset::described(int64_t sample) const {
  return manifest_.string() + ", line " + std::to_string(lines_.at(static_cast<size_t>(sample)));
}

std::vector<at::Tensor> TokenDataset::batch(int64_t first, int64_t last) const {
  if (first < 0 || first >= last || last > size()) {
    throw Error("samples " + std::to_string(first) + " to " + std::to_string(last) +
                " were asked for, the split has " + std::to_string(size()));
  }
  return {tokens_.index_select(0, rows_.slice(0, first, last))};
}

std::string TokenDataset::fingerprint() const {
  return "tokens, " + text_digest(describe(tokens_) + " " + content_digest(file_) + " " +
                                  bytes_of(rows_) + bytes_of(labels_) + bytes_of(attributes_));
}

}  // namespace neurontune
