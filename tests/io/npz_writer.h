#pragma once

#include <ATen/ATen.h>
#include <zip.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace neurontune::testing_support {

/// An array of .npy format, version 1.
inline std::string npy(const std::string& dtype, const std::string& shape,
                       const std::string& bytes) {
  const std::string header =
      "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const char length[] = {static_cast<char>(header.size() % 256),
                         static_cast<char>(header.size() / 256)};
  return std::string("\x93NUMPY\x01\x00", 8) + std::string(length, 2) + header + bytes;
}

/// A tensor of float32, int64 or int32 as such an array.
inline std::string npy(const at::Tensor& tensor) {
  const std::string dtype = tensor.scalar_type() == at::kFloat  ? "<f4"
                            : tensor.scalar_type() == at::kLong ? "<i8"
                            : tensor.scalar_type() == at::kInt
                                ? "<i4"
                                : throw std::runtime_error("no dtype of the tests");
  std::string shape;
  for (const int64_t size : tensor.sizes()) shape += std::to_string(size) + ",";
  const auto contiguous = tensor.contiguous();
  return npy(dtype, shape,
             {static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes()});
}

/// Writes an archive of arrays, by name.
inline void write_npz(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& arrays) {
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  if (archive == nullptr) throw std::runtime_error("no archive");
  for (const auto& [name, bytes] : arrays) {
    zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    if (zip_file_add(archive, (name + ".npy").c_str(), source, 0) < 0) {
      throw std::runtime_error("no array in the archive");
    }
  }
  if (zip_close(archive) != 0) throw std::runtime_error("no archive written");
}

inline void write_npz(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<std::pair<std::string, std::string>> arrays;
  for (const auto& [name, tensor] : tensors) arrays.emplace_back(name, npy(tensor));
  write_npz(path, arrays);
}

}  // namespace neurontune::testing_support
