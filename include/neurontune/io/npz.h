#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// Reads the arrays of numbers of a NumPy archive, as np.savez and np.savez_compressed write it,
/// into memory. Arrays of anything else (text, Python objects, records) are passed over.
///
/// Dtypes: f8 f4 f2 i8 i4 i2 i1 u1 b1 stay what they are; u8 u4 u2 become int64. Arrays in Fortran
/// order come as the same arrays in C order.
///
/// @throws Error naming the file and the array: a damaged archive or header, an array whose bytes
///         are not as many as its shape needs, big-endian numbers, a u8 over the largest int64
NEURONTUNE_EXPORT std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path);

/// The same of the arrays that `names` lists, as far as they are there.
/// @throws Error also if one of them holds no numbers
NEURONTUNE_EXPORT std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path,
                                                             const std::vector<std::string>& names);

/// The names of all arrays of an archive, in its order.
NEURONTUNE_EXPORT std::vector<std::string> npz_names(const std::filesystem::path& path);

/// Reads a vector of text (dtypes U, as UTF-8, and S) or of integers, as text; empty where the
/// archive has no array of that name.
/// @throws Error naming the file and the array: as above; another dtype, not one-dimensional
NEURONTUNE_EXPORT std::vector<std::string> read_npz_strings(const std::filesystem::path& path,
                                                            const std::string& name);

}  // namespace neurontune
