#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/io/unfinished.h"

namespace neurontune {

class PartialFile;

/// Reads every tensor of a safetensors file. The file is memory-mapped: a tensor is a view of the
/// mapping (private, copy-on-write), which lives as long as any of them. Tensors that are not
/// aligned to their item size, and BOOL ones, are copied. `__metadata__` is passed over.
///
/// Dtypes: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL; U64 U32 U16 become int64, in memory. Tensors of
/// other dtypes (F8_E4M3, C64) are passed over. A file must not be cut short while it is mapped:
/// reading what is gone ends the process by SIGBUS.
///
/// @throws Error if the file cannot be read, or its header lies: offsets out of the file, sizes
///         that do not match shape and dtype, tensors that overlap or leave bytes between them or
///         after the last, a name given twice; or a U64 is over the largest int64
NEURONTUNE_EXPORT std::map<std::string, at::Tensor> read_safetensors(
    const std::filesystem::path& path);

/// The same of the tensors that `names` lists, as far as they are there.
/// @throws Error also if one of them has another dtype
NEURONTUNE_EXPORT std::map<std::string, at::Tensor> read_safetensors(
    const std::filesystem::path& path, const std::vector<std::string>& names);

/// The names of all tensors of a file, in their order.
NEURONTUNE_EXPORT std::vector<std::string> safetensors_names(const std::filesystem::path& path);

/// The digest that a safetensors file carries in `__metadata__`, as SafetensorsWriter::set_digest
/// gave it; empty where it carries none.
/// @throws Error as read_safetensors does
NEURONTUNE_EXPORT std::string stored_digest(const std::filesystem::path& path);

/// What a tensor of a file to be written will be.
struct TensorSpec {
  std::string name;            ///< of the tensor
  at::ScalarType dtype;        ///< one that the format has
  std::vector<int64_t> shape;  ///< of any rank
};

/// Whether a file to be written will carry a digest.
enum class WithDigest { no, yes };

/// Writes a safetensors file piece by piece: the size is fixed in advance, and rows are put where
/// they belong as they come. The file appears at `path` by rename when `finish` is called; a writer
/// destroyed before that leaves nothing, unless it is to be kept.
///
/// The bytes depend on the tensors alone, and are those that the safetensors library for Python
/// writes: laid out by dtype, the largest items first so that all are aligned, then by name.
///
/// With a digest, the header has `__metadata__`: {"digest": …}, which is filled in at the end.
class NEURONTUNE_EXPORT SafetensorsWriter {
 public:
  /// @throws Error if the file cannot be created, a name is given twice or a dtype has no place in
  ///         the format
  SafetensorsWriter(std::filesystem::path path, std::vector<TensorSpec> tensors,
                    Unfinished unfinished = Unfinished::removed,
                    WithDigest with_digest = WithDigest::no);
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;
  ~SafetensorsWriter();

  /// Writes `rows` at `first_row` of the tensor's first dimension. `rows` must have the tensor's
  /// dtype and trailing shape; it may lie on any device. A scalar is its own single row.
  /// @throws Error if there is no such tensor, `rows` does not fit it or cannot be written
  void write_rows(const std::string& name, int64_t first_row, const at::Tensor& rows);

  /// Puts a digest of 32 characters into the header.
  /// @throws Error if the file was to have none
  void set_digest(const std::string& digest);

  /// Waits until what was written is on the disk.
  void sync();

  /// Whether the unfinished file was there in full, as an earlier process left it.
  bool found_whole() const;

  /// Where the file is until it is finished: whole in size, and readable.
  const std::filesystem::path& unfinished_path() const;

  /// Makes the file whole. Nothing may be written afterwards.
  void finish();

 private:
  struct Layout;
  std::unique_ptr<Layout> layout_;
  std::unique_ptr<PartialFile> file_;
};

/// Writes whole tensors; the file appears by rename.
/// @throws Error if the file cannot be written
NEURONTUNE_EXPORT void write_safetensors(
    const std::filesystem::path& path,
    const std::vector<std::pair<std::string, at::Tensor>>& tensors);

}  // namespace neurontune
