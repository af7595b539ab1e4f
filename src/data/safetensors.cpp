#include "neurontune/data/safetensors.h"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>

#include "data/file_io.h"
#include "data/json_text.h"
#include "data/regular_file.h"
#include "data/tensor_bytes.h"
#include "data/unsigned_integers.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

using Json = nlohmann::json;

constexpr uint64_t kLengthBytes = 8;               // before the header: its length
constexpr uint64_t kLargestHeader = 100'000'000;   // as in the safetensors library
constexpr const char* kMetadata = "__metadata__";  // text about the file, not a tensor

struct Dtype {
  const char* name;
  at::ScalarType type;        ///< of the bytes as they are read
  int64_t unsigned_mask = 0;  ///< of unsigned ones that become int64: the bits that count
};

// In the safetensors library's own order, by which it lays files out.
constexpr std::array<Dtype, 13> kDtypes = {{{"BOOL", at::kBool},
                                            {"U8", at::kByte},
                                            {"I8", at::kChar},
                                            {"I16", at::kShort},
                                            {"U16", at::kShort, 0xffff},
                                            {"F16", at::kHalf},
                                            {"BF16", at::kBFloat16},
                                            {"I32", at::kInt},
                                            {"U32", at::kInt, 0xffffffff},
                                            {"F32", at::kFloat},
                                            {"F64", at::kDouble},
                                            {"I64", at::kLong},
                                            {"U64", at::kLong, -1}}};

std::string text(at::IntArrayRef shape) {
  std::string result = "[";
  for (const int64_t size : shape) {
    if (result.size() > 1) result += ", ";
    result += std::to_string(size);
  }
  return result + "]";
}

// --- Reading -----------------------------------------------------------------------------------

/// A file mapped privately: writing to the tensors never reaches it. A set may be larger than the
/// memory, so it is not read whole. Who cuts the file short while it is mapped ends the process by
/// SIGBUS, whatever is checked here: the program says so (tools/bus_error.h), a library does not
/// touch its process's signals.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const RegularFile file(path);
    size_ = file.size();
    if (size_ == 0) return;
    // Without MAP_NORESERVE a writable mapping larger than the memory would be refused.
    data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                   file.descriptor(), 0);
    if (data_ == MAP_FAILED)
      throw Error(path.string() + ": cannot be read: " + std::generic_category().message(errno));
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (size_ > 0) ::munmap(data_, size_);
  }

  char* data() const { return static_cast<char*>(data_); }
  uint64_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  uint64_t size_ = 0;
};

/// What the header says of a tensor; offsets are from the end of the header.
struct Entry {
  std::string name;
  std::string dtype_name;
  std::optional<Dtype> dtype;  ///< none where no tensor here can hold it
  std::vector<int64_t> shape;
  uint64_t begin, end;
};

/// The header's text, after its length has been checked against the file's.
std::string_view header_text(const std::string& where, const Mapping& file) {
  if (file.size() < kLengthBytes) {
    throw Error(where + ": has " + std::to_string(file.size()) +
                " bytes, a safetensors file at least 8");
  }
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > file.size() - kLengthBytes || length > kLargestHeader) {
    throw Error(where + ": not a safetensors file, or cut short: the header would take " +
                std::to_string(length) + " bytes, the file has " + std::to_string(file.size()));
  }
  const std::string_view header(file.data() + kLengthBytes, length);
  if (!header.starts_with('{')) {
    throw Error(where + ": not a safetensors file: the header does not begin with {");
  }
  return header;
}

/// Hears of every key of a header and remembers a tensor's name that is given twice. (The parser's
/// own callback takes time quadratic in the number of tensors.)
class DoubledNames : public nlohmann::json_sax<Json> {
 public:
  const std::optional<std::string>& found() const { return found_; }

  bool start_object(std::size_t) override { return enter(1); }
  bool end_object() override { return enter(-1); }
  bool start_array(std::size_t) override { return enter(1); }
  bool end_array() override { return enter(-1); }
  bool key(std::string& name) override {
    if (depth_ == 1 && !names_.insert(name).second) found_ = name;
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;  // the parse into values says what is wrong
  }

 private:
  bool enter(int levels) {
    depth_ += levels;
    return true;
  }

  int depth_ = 0;
  std::set<std::string> names_;
  std::optional<std::string> found_;
};

Json parse_header_json(const std::string& where, std::string_view header) {
  DoubledNames doubled;
  try {
    check_json_depth(header);
    Json::sax_parse(header, &doubled);
    if (doubled.found()) throw Error("names tensor " + shown_json(*doubled.found()) + " twice");
    return Json::parse(header);
  } catch (const Json::exception& error) {
    throw Error(where + ": the header is not JSON: " + error.what());
  } catch (const Error& error) {
    throw Error(where + ": the header " + error.what());
  }
}

/// An array of integers from 0 to the largest int64.
std::vector<int64_t> sizes(const std::string& tensor, const Json& entry, const char* key) {
  const auto refuse = [&]() -> Error {
    return Error(tensor + " has no `" + key + "` that is an array of integers from 0");
  };
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) throw refuse();
  std::vector<int64_t> values;
  for (const Json& value : *found) {
    if (!value.is_number_unsigned()) throw refuse();
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) throw refuse();
    values.push_back(static_cast<int64_t>(number));
  }
  return values;
}

std::string dtype_name_of(const std::string& tensor, const Json& entry) {
  const auto found = entry.find("dtype");
  if (found == entry.end() || !found->is_string()) throw Error(tensor + " has no `dtype`");
  return found->get<std::string>();
}

std::optional<Dtype> dtype_named(const std::string& name) {
  for (const Dtype& dtype : kDtypes) {
    if (name == dtype.name) return dtype;
  }
  return std::nullopt;
}

Entry parse_entry(const std::string& where, const std::string& name, const Json& json,
                  uint64_t data_size) {
  const std::string tensor = where + ": tensor `" + name + "`";
  if (!json.is_object()) throw Error(tensor + " is described by no JSON object");
  const std::string dtype = dtype_name_of(tensor, json);
  Entry entry{name, dtype, dtype_named(dtype), sizes(tensor, json, "shape"), 0, 0};
  const std::vector<int64_t> offsets = sizes(tensor, json, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw Error(tensor + " has data_offsets " + text(offsets) + ", expected [begin, end]");
  }
  entry.begin = static_cast<uint64_t>(offsets[0]);
  entry.end = static_cast<uint64_t>(offsets[1]);
  if (entry.end > data_size) {
    throw Error(tensor + " ends at byte " + std::to_string(entry.end) +
                " of the data, the file holds " + std::to_string(data_size));
  }
  if (!entry.dtype) return entry;
  const auto bytes = tensor_bytes(entry.shape, at::elementSize(entry.dtype->type));
  if (!bytes || *bytes != entry.end - entry.begin) {
    throw Error(tensor + " holds " + std::to_string(entry.end - entry.begin) + " bytes, but " +
                entry.dtype_name + " " + text(entry.shape) + " takes " +
                (bytes ? std::to_string(*bytes) : "more than can be addressed"));
  }
  return entry;
}

/// The format allows no overlaps and no holes: tensors follow one another to the file's end.
void check_layout(const std::string& where, std::vector<Entry>& entries, uint64_t data_size) {
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
    return std::tie(left.begin, left.end) < std::tie(right.begin, right.end);
  });
  uint64_t expected = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != expected) {
      throw Error(where + ": tensor `" + entry.name + "` begins at byte " +
                  std::to_string(entry.begin) + " of the data, expected " +
                  std::to_string(expected) +
                  (entry.begin < expected ? " (tensors overlap)" : " (bytes of no tensor)"));
    }
    expected = entry.end;
  }
  if (expected != data_size) {
    throw Error(where + ": the tensors end at byte " + std::to_string(expected) +
                " of the data, the file holds " + std::to_string(data_size));
  }
}

std::vector<Entry> parse_header(const std::string& where, std::string_view header,
                                uint64_t data_size) {
  const Json json = parse_header_json(where, header);
  std::vector<Entry> entries;
  for (const auto& [name, entry] : json.items()) {
    if (name != kMetadata) entries.push_back(parse_entry(where, name, entry, data_size));
  }
  check_layout(where, entries, data_size);
  return entries;
}

/// Unsigned integers and BOOL are copied, for LibTorch has them otherwise or not at all.
at::Tensor converted(const Dtype& dtype, const at::Tensor& stored, const std::string& tensor) {
  if (dtype.type == at::kBool) return stored.ne(0);  // a byte other than 0 or 1 is no bool in C++
  try {
    return as_unsigned(stored, dtype.unsigned_mask);
  } catch (const Error& error) {
    throw Error(tensor + " " + error.what());
  }
}

at::Tensor tensor_of(const std::string& where, const Entry& entry,
                     const std::shared_ptr<Mapping>& file, char* data) {
  char* const first = data + entry.begin;
  const Dtype& dtype = *entry.dtype;
  const auto stored = dtype.type == at::kBool ? at::kByte : dtype.type;
  at::Tensor tensor;
  if (reinterpret_cast<uintptr_t>(first) % at::elementSize(stored) != 0) {
    tensor = at::empty(entry.shape, stored);
    if (entry.end > entry.begin) std::memcpy(tensor.data_ptr(), first, entry.end - entry.begin);
  } else {
    tensor = at::from_blob(
        first, entry.shape, [file](void*) {}, stored);
  }
  if (dtype.type != at::kBool && dtype.unsigned_mask == 0) return tensor;
  return converted(dtype, tensor, where + ": tensor `" + entry.name + "`");
}

/// A file that is open, and what its header says.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : where_(path.string()), file_(std::make_shared<Mapping>(path)) {
    const std::string_view header = header_text(where_, *file_);
    data_ = file_->data() + kLengthBytes + header.size();
    entries_ = parse_header(where_, header, file_->size() - kLengthBytes - header.size());
  }

  const std::vector<Entry>& entries() const { return entries_; }

  /// @throws Error if no tensor here can hold the entry's dtype
  at::Tensor tensor(const Entry& entry) const {
    if (entry.dtype) return tensor_of(where_, entry, file_, data_);
    throw Error(where_ + ": tensor `" + entry.name + "` has dtype " + entry.dtype_name +
                ", expected F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 or BOOL");
  }

 private:
  std::string where_;
  std::shared_ptr<Mapping> file_;
  char* data_ = nullptr;
  std::vector<Entry> entries_;
};

// --- Writing -----------------------------------------------------------------------------------

size_t dtype_index(const std::string& where, const TensorSpec& spec) {
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& dtype) {
    return dtype.type == spec.dtype && dtype.unsigned_mask == 0;
  });
  if (found == kDtypes.end()) {
    throw Error(where + ": tensor `" + spec.name + "` has dtype " + at::toString(spec.dtype) +
                ", which safetensors files here do not hold");
  }
  return static_cast<size_t>(found - kDtypes.begin());
}

uint64_t bytes_of(const std::string& where, const TensorSpec& spec) {
  const bool negative =
      std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t size) { return size < 0; });
  const auto bytes =
      negative ? std::nullopt : tensor_bytes(spec.shape, at::elementSize(spec.dtype));
  if (!bytes) {
    throw Error(where + ": tensor `" + spec.name + "` cannot have shape " + text(spec.shape));
  }
  return *bytes;
}

}  // namespace

std::map<std::string, at::Tensor> read_safetensors(const std::filesystem::path& path) {
  const OpenFile file(path);
  std::map<std::string, at::Tensor> tensors;
  for (const Entry& entry : file.entries()) {
    if (entry.dtype) tensors.emplace(entry.name, file.tensor(entry));
  }
  return tensors;
}

std::map<std::string, at::Tensor> read_safetensors(const std::filesystem::path& path,
                                                   const std::vector<std::string>& names) {
  const OpenFile file(path);
  std::map<std::string, at::Tensor> tensors;
  for (const Entry& entry : file.entries()) {
    if (std::find(names.begin(), names.end(), entry.name) == names.end()) continue;
    tensors.emplace(entry.name, file.tensor(entry));
  }
  return tensors;
}

std::vector<std::string> safetensors_names(const std::filesystem::path& path) {
  const OpenFile file(path);
  std::vector<std::string> names;
  for (const Entry& entry : file.entries()) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path, std::vector<TensorSpec> tensors,
                                     Unfinished unfinished) {
  const std::string where = path.string();
  const auto comes_before = [&](const TensorSpec& left, const TensorSpec& right) {
    const size_t left_dtype = dtype_index(where, left), right_dtype = dtype_index(where, right);
    return std::tie(right_dtype, left.name) < std::tie(left_dtype, right.name);
  };
  for (const TensorSpec& spec : tensors) dtype_index(where, spec);
  std::sort(tensors.begin(), tensors.end(), comes_before);

  std::string header_text = "{";
  uint64_t size = 0;
  for (TensorSpec& spec : tensors) {
    const uint64_t end = size + bytes_of(where, spec);
    if (spec.name == kMetadata || placements_.contains(spec.name)) {
      throw Error(where + ": there cannot be " +
                  (spec.name == kMetadata ? "a tensor" : "two tensors") + " named `" + spec.name +
                  "`");
    }
    const nlohmann::ordered_json entry = {{"dtype", kDtypes[dtype_index(where, spec)].name},
                                          {"shape", spec.shape},
                                          {"data_offsets", {size, end}}};
    if (!placements_.empty()) header_text.push_back(',');
    header_text.append(json_text(spec.name)).append(":").append(json_text(entry, -1));
    const std::string name = spec.name;
    placements_.emplace(name, Placement{std::move(spec), size});
    size = end;
  }

  header_text.push_back('}');
  header_text.resize((header_text.size() + 7) / 8 * 8, ' ');
  const uint64_t header_length = header_text.size();
  const uint64_t data_begin = kLengthBytes + header_length;
  for (auto& [name, placement] : placements_) placement.offset += data_begin;

  file_ = std::make_unique<PartialFile>(std::move(path), unfinished);
  file_->resize(data_begin + size);
  file_->write_at(&header_length, kLengthBytes, 0);
  file_->write_at(header_text.data(), header_length, kLengthBytes);
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write_rows(const std::string& name, int64_t first_row,
                                   const at::Tensor& rows) {
  if (!file_) throw Error("tensor `" + name + "` is written to a finished safetensors file");
  const std::string where = file_->path().string() + ": tensor `" + name + "`";
  const auto found = placements_.find(name);
  if (found == placements_.end()) throw Error(where + " was not announced");
  const TensorSpec& spec = found->second.spec;

  const at::IntArrayRef shape = spec.shape, given = rows.sizes();
  const bool scalar = shape.empty();
  const int64_t row_count = scalar || given.empty() ? 1 : given.front();
  const int64_t rows_in_all = scalar ? 1 : shape.front();
  const bool fits = rows.scalar_type() == spec.dtype && given.size() == shape.size() &&
                    (scalar || given.slice(1) == shape.slice(1)) && first_row >= 0 &&
                    row_count <= rows_in_all && first_row <= rows_in_all - row_count;
  if (!fits) {
    throw Error(where + " is " + at::toString(spec.dtype) + " " + text(shape) + ", but " +
                at::toString(rows.scalar_type()) + " " + text(given) + " was to be put at row " +
                std::to_string(first_row));
  }
  const at::Tensor contiguous = rows.detach().to(at::kCPU).contiguous();
  if (contiguous.numel() == 0) return;
  const uint64_t row_bytes = contiguous.nbytes() / static_cast<uint64_t>(row_count);
  file_->write_at(contiguous.const_data_ptr(), contiguous.nbytes(),
                  found->second.offset + static_cast<uint64_t>(first_row) * row_bytes);
}

void SafetensorsWriter::sync() { file_->sync(); }

const std::filesystem::path& SafetensorsWriter::unfinished_path() const {
  return file_->partial_path();
}

void SafetensorsWriter::finish() {
  if (!file_) return;
  file_->commit();
  file_.reset();
}

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<TensorSpec> specs;
  for (const auto& [name, tensor] : tensors) {
    specs.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
  }
  SafetensorsWriter writer(path, std::move(specs));
  for (const auto& [name, tensor] : tensors) writer.write_rows(name, 0, tensor);
  writer.finish();
}

}  // namespace neurontune
