#pragma once

#include <filesystem>
#include <vector>

#include "neurontune/data/dataset.h"

namespace neurontune {

/// Opens every split of a folder of tensors: SPLIT.safetensors or SPLIT.npz with `labels`,
/// optionally `attributes`, `groups` or `group`, and inputs: all other tensors but `ids`, each with
/// a row for each label. Without ids a sample is called "train[17]".
///
/// @return in the order train, val, test, then by name; none where the folder has no such file
/// @throws Error naming the file: no labels, no inputs, rows that disagree, a value out of range,
///         groups that contradict each other over the splits, both files of a name
std::vector<DatasetSplit> open_tensor_splits(const std::filesystem::path& folder);

}  // namespace neurontune
