#include "io/npy.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/describe.h"
#include "io/tensor_bytes.h"
#include "io/unsigned_integers.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are swapped for this order");

// --- The header: a Python literal, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } ---

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kLongestHeader = 1 << 20;
constexpr size_t kMostDimensions = 64;  // as in NumPy

[[noreturn]] void damaged(const std::string& found, const std::string& expected) {
  throw Error("has a damaged header: found " + found + ", expected " + expected);
}

class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  NpyHeader parse() {
    std::optional<std::string> dtype;
    std::optional<bool> fortran_order;
    std::optional<std::vector<int64_t>> shape;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr") {
        dtype = this->dtype();
      } else if (key == "fortran_order") {
        fortran_order = boolean();
      } else if (key == "shape") {
        shape = this->shape();
      } else {
        damaged("key '" + std::string(key) + "'", "descr, fortran_order and shape");
      }
      if (!accept(',') && next() != '}') fail("a comma or }");
    }
    if (!dtype || !fortran_order || !shape) {
      damaged("an incomplete one", "descr, fortran_order and shape");
    }
    return {*dtype, *fortran_order, *shape};
  }

 private:
  /// The next character that is not blank; zero at the end.
  char next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }

  bool accept(char wanted) {
    if (next() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool accept(std::string_view wanted) {
    next();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string(1, wanted));
  }

  [[noreturn]] void fail(const std::string& expected) {
    constexpr size_t kShown = 20;
    next();
    std::string found(rest_.substr(0, kShown));
    std::replace_if(
        found.begin(), found.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    damaged(found.empty() ? "its end" : "`" + found + "`", expected);
  }

  std::string_view string() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail("a string");
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) fail("a closing quote");
    const std::string_view content = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return content;
  }

  bool boolean() {
    if (accept("True")) return true;
    if (!accept("False")) fail("True or False");
    return false;
  }

  std::vector<int64_t> shape() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      if (sizes.size() == kMostDimensions) fail("at most 64 dimensions");
      sizes.push_back(size());
      if (!accept(',') && next() != ')') fail("a comma or )");
    }
    return sizes;
  }

  int64_t size() {
    next();
    int64_t value = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) fail("a size from 0 to 2^63 - 1");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  /// A string; of records a list, which is returned as it stands.
  std::string dtype() {
    if (next() != '[') return std::string(string());
    const std::string_view from_here = rest_;
    size_t depth = 0;
    do {
      const char c = next();
      if (c == '\0') fail("a closing bracket");
      if (c == '\'' || c == '"') {
        string();
        continue;
      }
      if (c == '[') ++depth;
      if (c == ']') --depth;
      rest_.remove_prefix(1);
    } while (depth > 0);
    return std::string(from_here.substr(0, from_here.size() - rest_.size()));
  }

  std::string_view rest_;
};

void read(ByteSource& source, void* to, uint64_t bytes, const char* what) {
  if (bytes > source.remaining()) {
    throw Error(std::string("is cut short: ") + what + " takes " + std::to_string(bytes) +
                " bytes, " + std::to_string(source.remaining()) + " are left");
  }
  source.read(to, bytes);
}

/// The little-endian number in the next bytes.
uint64_t read_length(ByteSource& source, uint64_t bytes) {
  uint64_t length = 0;
  read(source, &length, bytes, "the header's length");
  return length;
}

// --- The array ---------------------------------------------------------------------------------

struct Dtype {
  const char* kind;
  at::ScalarType type;        ///< of the bytes as they are read
  int64_t unsigned_mask = 0;  ///< of unsigned ones that become int64: the bits that count
};

constexpr std::array<Dtype, 12> kDtypes = {{{"f8", at::kDouble},
                                            {"f4", at::kFloat},
                                            {"f2", at::kHalf},
                                            {"i8", at::kLong},
                                            {"i4", at::kInt},
                                            {"i2", at::kShort},
                                            {"i1", at::kChar},
                                            {"u8", at::kLong, -1},
                                            {"u4", at::kInt, 0xffffffff},
                                            {"u2", at::kShort, 0xffff},
                                            {"u1", at::kByte},
                                            {"b1", at::kByte}}};

const Dtype* find_dtype(const NpyHeader& header) {
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                  [&](const Dtype& dtype) { return header.kind() == dtype.kind; });
  return found == kDtypes.end() ? nullptr : &*found;
}

bool is_big_endian(const NpyHeader& header) { return header.dtype.starts_with('>'); }

/// NumPy writes this machine's order unless it is told otherwise.
void check_byte_order(const NpyHeader& header) {
  if (is_big_endian(header))
    throw Error("is big-endian (dtype " + header.dtype +
                "), expected little-endian: in NumPy, array.astype(array.dtype.newbyteorder('<'))");
}

[[noreturn]] void refuse_dtype(const NpyHeader& header, const char* expected) {
  std::string found = "dtype " + header.dtype;
  if (header.kind().starts_with('O')) found = "Python objects (" + found + ")";
  if (header.dtype.starts_with('[')) found = "records (" + found + ")";
  const char* hint = header.kind() == "V2" ? " (bfloat16 is none of NumPy's: save float32)" : "";
  throw Error("holds " + found + ", expected " + expected + hint);
}

/// All that remains, which must be as many bytes as the shape needs.
void check_size(const ByteSource& source, const NpyHeader& header, uint64_t item_size) {
  const auto bytes = tensor_bytes(header.shape, item_size);
  if (bytes && *bytes == source.remaining()) return;
  throw Error("holds " + std::to_string(source.remaining()) + " bytes, but " + header.dtype + " " +
              describe(header.shape) + " takes " +
              (bytes ? std::to_string(*bytes) : "more than can be addressed"));
}

void append_utf8(std::string& to, uint32_t character) {
  const auto byte = [&](uint32_t value) { to += static_cast<char>(value); };
  const auto following = [&](int shift) { byte(0x80 | ((character >> shift) & 0x3f)); };
  if (character > 0x10ffff) throw Error("holds a character that is none of Unicode");
  if (character < 0x80) {
    byte(character);
  } else if (character < 0x800) {
    byte(0xc0 | (character >> 6));
    following(0);
  } else if (character < 0x10000) {
    byte(0xe0 | (character >> 12));
    following(6);
    following(0);
  } else {
    byte(0xf0 | (character >> 18));
    following(12);
    following(6);
    following(0);
  }
}

/// A text of UTF-32 in this machine's order.
std::string utf8(const char* units, size_t count) {
  std::string result;
  size_t zeros = 0;  // those at the end only fill
  for (size_t unit = 0; unit < count; ++unit) {
    uint32_t character = 0;
    std::copy_n(units + 4 * unit, 4, reinterpret_cast<char*>(&character));
    if (character == 0) {
      ++zeros;
      continue;
    }
    result.append(std::exchange(zeros, 0), '\0');
    append_utf8(result, character);
  }
  return result;
}

/// Characters a text, or nothing where the dtype is not U or S.
std::optional<uint64_t> text_length(const NpyHeader& header) {
  const std::string kind = header.kind();
  uint64_t length = 0;
  if (!kind.starts_with('U') && !kind.starts_with('S')) return std::nullopt;
  const char* const last = kind.data() + kind.size();
  const auto [end, error] = std::from_chars(kind.data() + 1, last, length);
  constexpr uint64_t kLongest = uint64_t{1} << 32;
  if (error != std::errc() || end != last || length < 1 || length > kLongest) return std::nullopt;
  return length;
}

}  // namespace

NpyHeader read_npy_header(ByteSource& source) {
  std::array<char, 8> start{};  // the magic, and the version's two numbers
  if (source.remaining() >= start.size()) source.read(start.data(), start.size());
  if (!std::string_view(start.data(), start.size()).starts_with(kMagic)) {
    throw Error("is no array in the .npy format");
  }
  const int version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3) {
    throw Error("has .npy format version " + std::to_string(version) + ", expected 1, 2 or 3");
  }
  const uint64_t length = read_length(source, version == 1 ? 2 : 4);
  if (length > kLongestHeader) {
    damaged(std::to_string(length) + " bytes of it", "at most " + std::to_string(kLongestHeader));
  }
  std::string header(length, '\0');
  read(source, header.data(), length, "the header");
  return HeaderParser(header).parse();
}

bool holds_numbers(const NpyHeader& header) {
  return find_dtype(header) != nullptr && !is_big_endian(header);
}

at::Tensor read_npy_numbers(ByteSource& source, const NpyHeader& header) {
  const Dtype* const dtype = find_dtype(header);
  if (dtype == nullptr) refuse_dtype(header, "f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1 or b1");
  check_byte_order(header);
  const uint64_t item_size = at::elementSize(dtype->type);
  check_size(source, header, item_size);

  std::vector<int64_t> shape = header.shape;
  if (header.fortran_order) std::reverse(shape.begin(), shape.end());
  at::Tensor array = at::empty(shape, dtype->type);
  source.read(array.data_ptr(), array.nbytes());
  if (dtype->unsigned_mask != 0) array = as_unsigned(array, dtype->unsigned_mask);
  if (header.kind() == "b1") array = array.ne(0);  // a byte other than 0 or 1 is no bool in C++
  if (!header.fortran_order) return array;
  std::vector<int64_t> dimensions(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) {
    dimensions[i] = static_cast<int64_t>(shape.size() - 1 - i);
  }
  return array.permute(dimensions).contiguous();
}

std::vector<std::string> read_npy_texts(ByteSource& source, const NpyHeader& header) {
  check_byte_order(header);
  const auto length = text_length(header);
  if (!length) refuse_dtype(header, "text (U or S) or integers");
  if (header.shape.size() != 1) {
    throw Error("is " + header.dtype + " " + describe(header.shape) +
                ", expected one text a sample");
  }
  const bool unicode = header.kind().starts_with('U');
  const uint64_t bytes = *length * (unicode ? 4 : 1);
  check_size(source, header, bytes);
  std::string item(bytes, '\0');
  std::vector<std::string> texts;
  for (int64_t index = 0; index < header.shape[0]; ++index) {
    source.read(item.data(), bytes);
    texts.push_back(unicode ? utf8(item.data(), *length)
                            : item.substr(0, item.find_last_not_of('\0') + 1));
  }
  return texts;
}

}  // namespace neurontune
