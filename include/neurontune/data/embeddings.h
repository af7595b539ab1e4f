#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/data/array_names.h"
#include "neurontune/data/names.h"
#include "neurontune/data/split.h"
#include "neurontune/export.h"

namespace neurontune {

/// The embeddings of a split, with what is known of its samples.
struct EmbeddingSplit {
  /// F64, F32, F16 or BF16 [N, M]: all finite; memory-mapped if in safetensors
  at::Tensor embeddings;
  at::Tensor labels;             ///< int64 [N]
  at::Tensor attributes;         ///< int64 [N], −1 where not known; undefined where none is
  std::vector<std::string> ids;  ///< N, or none
};

/// A folder of embeddings: SPLIT.safetensors or SPLIT.npz with `embeddings`, `labels` and
/// optionally `attributes`, or `groups` (y·A + a, with one A for all splits); SPLIT.ids.txt, or
/// `ids` in an .npz; head.safetensors or head.npz with `weight` and optionally `bias`; names.json.
class NEURONTUNE_EXPORT EmbeddingFolder {
 public:
  /// Opens every split and checks it against the others and the head. A file without embeddings
  /// is no split, and a warning says so.
  ///
  /// @param names what the arrays are called
  /// @throws Error naming the file: no split, shapes that disagree, a label outside the head's
  ///         classes, a value that is not finite, groups that contradict each other, both files of
  ///         a name, no head (identification needs the ERM head's predictions)
  static EmbeddingFolder open(const std::filesystem::path& folder, const ArrayNames& names = {});

  /// The same with a head that comes from elsewhere; the folder need not hold one.
  static EmbeddingFolder open(const std::filesystem::path& folder, Head head,
                              const ArrayNames& names = {});

  /// Embeddings in memory, as a folder under the same checks; messages call a split by its name.
  ///
  /// @param splits by name. Embeddings as above, on any device; labels and attributes of any
  ///               integers, attributes also floating with NaN where not known
  /// @param head   linear; one of a single logit, [1, M], becomes one of two classes
  static EmbeddingFolder of_tensors(const std::map<std::string, EmbeddingSplit>& splits,
                                    const Head& head, Names names = {});

  /// The folder; in memory what to call it.
  const std::filesystem::path& path() const { return path_; }
  const Head& head() const { return head_; }     ///< the ERM head
  const Names& names() const { return names_; }  ///< of labels and attributes
  const std::map<std::string, EmbeddingSplit>& splits() const { return splits_; }  ///< by name

  /// What a user should know of the files, one sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// A = 1 + the largest attribute over all splits; 0 where no split has attributes.
  int64_t attribute_values() const { return attribute_values_; }

  /// A split by name.
  /// @throws Error if there is none of that name; the text lists those there are
  const EmbeddingSplit& split(const std::string& name) const;

  /// Takes the embeddings of every split to a device, once for all that follows. Labels and
  /// attributes stay on the CPU.
  void move_embeddings(at::Device device);

  /// A split or a class-stratified part of it (a copy of its rows).
  EmbeddingSplit select(const SplitSelector& selector) const;

 private:
  /// What is said of all splits together: how many values their attributes have, and what is
  /// missing.
  void look_at_attributes();

  std::filesystem::path path_;  ///< "data in memory" where there is none
  Head head_;
  Names names_;
  std::map<std::string, EmbeddingSplit> splits_;
  int64_t attribute_values_ = 0;
  std::map<std::string, std::string> passed_over_;  ///< files that are no split, and why
  std::vector<std::string> warnings_;
};

/// Reads a linear head from a .safetensors or .npz: `weight` [C, M] and optionally `bias` [C]. One
/// of a single logit, [1, M], becomes one of two classes.
/// @param names what they are called
/// @throws Error naming the file if it cannot be read or is no head
NEURONTUNE_EXPORT Head read_head(const std::filesystem::path& path, const ArrayNames& names = {});

/// Reads a head of the layers and shapes of another; in one of several layers the tensors have the
/// names of the submodule's.
/// @throws Error naming the file if it cannot be read or holds another head
NEURONTUNE_EXPORT Head read_head(const std::filesystem::path& path, const Head& like);

/// Writes a head as the model has it: of a single logit [1, M]. The file appears by rename.
NEURONTUNE_EXPORT void write_head(const std::filesystem::path& path, const Head& head);

}  // namespace neurontune
