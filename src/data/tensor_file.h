#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace neurontune {

/// FOLDER/NAME.safetensors or FOLDER/NAME.npz; nothing where there is neither.
/// @throws Error if there are both
std::optional<std::filesystem::path> find_tensor_file(const std::filesystem::path& folder,
                                                      const std::string& name);

/// The files of tensors that may be a data set's splits, in order of name: not those of a head, nor
/// what the method writes, nor hidden ones.
/// @throws Error if the folder cannot be read, or has both files of a name
std::vector<std::filesystem::path> find_split_files(const std::filesystem::path& folder);

/// The tensors of a .safetensors file (mapped) of dtypes that LibTorch has, or the arrays of
/// numbers of an .npz (in memory).
/// @throws Error naming the file if it is not as it should be
std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path);

/// The tensors of these names, as far as they are there.
/// @throws Error also if one of them is of another dtype, or holds no numbers
std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path,
                                               const std::vector<std::string>& names);

/// The names of all tensors or arrays of a file, whatever they hold.
std::vector<std::string> tensor_names(const std::filesystem::path& path);

/// The same in a message: "it holds feats, y".
std::string held_by(const std::filesystem::path& path);

}  // namespace neurontune
