#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "data/findings.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/manifest.h"

namespace neurontune {

/// Reads the tensor `inputs` of a manifest's tensors.
///
/// @return int64 [N, L, 3]: ids, mask and segment of each token of each of the manifest's N rows;
///         adds a finding if there are not N
/// @throws Error if the file cannot be read, or holds no such tensor
at::Tensor read_tokens(const Manifest& manifest, Findings& findings);

/// The rows of a split of such a tensor, as a model takes them: one argument, int64 [n, L, 3].
class TokenDataset : public Dataset {
 public:
  /// @param rows of the split; their `number` is their row of the tensor
  /// @param tokens int64 [N, L, 3] of all splits
  TokenDataset(const Manifest& manifest, const std::vector<ManifestRow>& rows, at::Tensor tokens);

  int64_t size() const override { return labels_.size(0); }
  at::Tensor labels() const override { return labels_; }
  at::Tensor attributes() const override { return attributes_; }
  std::vector<std::string> ids() const override { return ids_; }
  std::string described(int64_t sample) const override;
  std::vector<std::string> input_names() const override { return {"inputs"}; }
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override;
  std::string fingerprint() const override;

 private:
  std::filesystem::path manifest_, file_;
  at::Tensor tokens_;
  at::Tensor rows_;        ///< int64 [n], into tokens_
  at::Tensor labels_;      ///< int64 [n]
  at::Tensor attributes_;  ///< int64 [n], or undefined
  std::vector<std::string> ids_;
  std::vector<int64_t> lines_;  ///< of the manifest
};

}  // namespace neurontune
