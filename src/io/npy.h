#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace neurontune {

/// Bytes that come one after another, and whose number is known.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual uint64_t remaining() const = 0;

  /// @param bytes at most `remaining()`
  /// @throws Error if they do not come
  virtual void read(void* to, uint64_t bytes) = 0;
};

/// What an array of NumPy's .npy format is.
struct NpyHeader {
  /// As in the file: "<f4", ">U12", "|b1"; of records their whole description, "[('x', '<f4')]".
  std::string dtype;
  bool fortran_order = false;
  std::vector<int64_t> shape;  ///< in 0…

  std::string kind() const { return dtype.substr(std::min<size_t>(dtype.size(), 1)); }  ///< "f4"
};

/// Reads the header of format version 1, 2 or 3; the array's bytes are what remains.
/// @throws Error (without the file's name) if it is damaged
NpyHeader read_npy_header(ByteSource& source);

/// Whether `read_npy_numbers` knows the dtype.
bool holds_numbers(const NpyHeader& header);

/// The array in C order; of b1 Bool, of the unsigned u2, u4 and u8 int64, else of its own dtype.
/// @throws Error (without the file's name) if the dtype is another or big-endian, the bytes are not
///         as many as the shape needs, or a u8 is over the largest int64
at::Tensor read_npy_numbers(ByteSource& source, const NpyHeader& header);

/// The texts of a vector of dtype U (as UTF-8) or S (as they are), without the zeros that fill
/// them.
/// @throws Error (without the file's name) if the dtype is another or big-endian, the array no
///         vector, its bytes not as many as the shape needs, or a character none of Unicode
std::vector<std::string> read_npy_texts(ByteSource& source, const NpyHeader& header);

}  // namespace neurontune
