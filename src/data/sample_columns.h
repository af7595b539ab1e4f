#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neurontune/data/array_names.h"

namespace neurontune {

/// The tensors of a split that say something of its samples, but ids: the first is the labels.
std::vector<std::string> sample_column_names(const ArrayNames& names = {});

/// What is known of a split's samples.
struct SampleColumns {
  at::Tensor labels;      ///< int64 [N]
  at::Tensor attributes;  ///< int64 [N], −1 where not known; or undefined
  at::Tensor groups;      ///< int64 [N], y·A + a or −1; or undefined; not beside attributes
  std::vector<std::string> ids;  ///< N, or none
};

/// What a split's columns are checked against.
struct ColumnLimits {
  std::string counted;  ///< the tensor whose rows are the samples, for messages
  int64_t rows = 0;     ///< of it
  int64_t classes = 0;  ///< of the head, or 0 where there is none
};

/// Reads `labels`, and `attributes` or else `groups` or `group`, of any integers, and the ids: the
/// lines of NAME.ids.txt (`unescaped`), or else `ids` of an .npz, text or integers.
///
/// @param path    NAME.safetensors or NAME.npz
/// @param tensors what it holds
/// @param names   what those are called
/// @throws Error naming the file: no labels, no integers, a value out of range, another number of
///         rows
SampleColumns read_sample_columns(const std::filesystem::path& path,
                                  const std::map<std::string, at::Tensor>& tensors,
                                  const ColumnLimits& limits, const ArrayNames& names = {});

/// The same of tensors that come from no file, without ids. `labels` must be there.
/// @param where what messages begin with
SampleColumns checked_columns(const std::string& where,
                              const std::map<std::string, at::Tensor>& tensors,
                              const ColumnLimits& limits, const ArrayNames& names = {});

/// The columns of the split that a file holds.
struct FileColumns {
  std::string file;
  SampleColumns columns;
};

/// Makes attributes of the groups of all splits, which must have one A.
/// @throws Error naming the folder and the two samples if groups contradict each other
void groups_to_attributes(const std::filesystem::path& folder, std::vector<FileColumns>& splits);

}  // namespace neurontune
