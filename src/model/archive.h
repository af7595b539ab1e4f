#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>

namespace neurontune {

/// Where a TorchScript file holds the bytes of the tensors that were loaded from it.
class TensorRecords {
 public:
  TensorRecords() = default;

  /// @param reads   address → place in the file that was last read to it
  /// @param records place in the file → name of the record whose content starts there
  TensorRecords(std::unordered_map<const void*, uint64_t> reads,
                std::map<uint64_t, std::string> records);

  /// The record with a CPU tensor's storage; empty if the tensor was not read from the file.
  std::string find(const at::Tensor& tensor) const;

 private:
  std::unordered_map<const void*, uint64_t> reads_;
  std::map<uint64_t, std::string> records_;
};

/// A TorchScript file in memory.
struct Archive {
  torch::jit::Module module;  ///< on the CPU, wherever it was saved
  TensorRecords records;
};

/// Reads a file that torch.jit.save wrote.
/// @throws Error naming the file, what it is instead of a TorchScript archive, or which of its
///         records is damaged, and what to do
Archive read_archive(const std::filesystem::path& path);

/// The bytes of a record.
std::string read_record(const std::filesystem::path& path, const std::string& record);

/// Copies a TorchScript file with other bytes, as many, in some records. The copy appears by rename
/// when it is whole.
/// @param replaced a record's name → its bytes
/// @throws Error naming the file if a record is compressed, or the copy cannot be written
void copy_archive(const std::filesystem::path& source, const std::filesystem::path& target,
                  const std::map<std::string, std::string>& replaced);

}  // namespace neurontune
