#pragma once

#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neurontune {

/// The name in a safetensors file's header of what is no tensor, but text about the file.
inline constexpr const char* kSafetensorsMetadata = "__metadata__";

/// A dtype of safetensors files.
struct SafetensorsDtype {
  const char* name;
  c10::ScalarType type;       ///< of the bytes as they are read
  int64_t unsigned_mask = 0;  ///< of unsigned ones that become int64: the bits that count
};

/// Those that are read, in the safetensors library's own order, by which it lays files out.
inline constexpr std::array<SafetensorsDtype, 13> kSafetensorsDtypes = {
    {{"BOOL", c10::kBool},
     {"U8", c10::kByte},
     {"I8", c10::kChar},
     {"I16", c10::kShort},
     {"U16", c10::kShort, 0xffff},
     {"F16", c10::kHalf},
     {"BF16", c10::kBFloat16},
     {"I32", c10::kInt},
     {"U32", c10::kInt, 0xffffffff},
     {"F32", c10::kFloat},
     {"F64", c10::kDouble},
     {"I64", c10::kLong},
     {"U64", c10::kLong, -1}}};

/// What a header says of a tensor; offsets are from the end of the header.
struct SafetensorsEntry {
  std::string name;
  std::string dtype_name;
  std::optional<SafetensorsDtype> dtype;  ///< none where no tensor here can hold it
  std::vector<int64_t> shape;
  uint64_t begin, end;
};

/// Reads a header and checks that the tensors fill the data, one after another.
///
/// @param where     the file, for messages
/// @param header    JSON
/// @param data_size bytes after the header
/// @return in the order of the data
/// @throws Error if it lies, as read_safetensors says
std::vector<SafetensorsEntry> parse_safetensors_header(const std::string& where,
                                                       std::string_view header, uint64_t data_size);

/// A text of the header's metadata; empty where it has none of that key.
/// @throws Error if the header is no JSON, as above
std::string safetensors_metadata(const std::string& where, std::string_view header,
                                 const std::string& key);

}  // namespace neurontune
