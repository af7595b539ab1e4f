#include "neurontune/io/safetensors.h"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include "base/describe.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "io/regular_file.h"
#include "io/safetensors_header.h"
#include "io/tensor_bytes.h"
#include "io/unsigned_integers.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr uint64_t kLengthBytes = 8;              // before the header: its length
constexpr uint64_t kLargestHeader = 100'000'000;  // as in the safetensors library
constexpr const char* kDigest = "digest";         // in the metadata
constexpr size_t kDigestLength = 32;              // characters

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

/// Unsigned integers and BOOL are copied, for LibTorch has them otherwise or not at all.
at::Tensor converted(const SafetensorsDtype& dtype, const at::Tensor& stored,
                     const std::string& tensor) {
  if (dtype.type == at::kBool) return stored.ne(0);  // a byte other than 0 or 1 is no bool in C++
  try {
    return as_unsigned(stored, dtype.unsigned_mask);
  } catch (const Error& error) {
    throw Error(tensor + " " + error.what());
  }
}

at::Tensor tensor_of(const std::string& where, const SafetensorsEntry& entry,
                     const std::shared_ptr<Mapping>& file, char* data) {
  char* const first = data + entry.begin;
  const SafetensorsDtype& dtype = *entry.dtype;
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
    entries_ =
        parse_safetensors_header(where_, header, file_->size() - kLengthBytes - header.size());
  }

  const std::vector<SafetensorsEntry>& entries() const { return entries_; }

  /// @throws Error if no tensor here can hold the entry's dtype
  at::Tensor tensor(const SafetensorsEntry& entry) const {
    if (entry.dtype) return tensor_of(where_, entry, file_, data_);
    throw Error(where_ + ": tensor `" + entry.name + "` has dtype " + entry.dtype_name +
                ", expected F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 or BOOL");
  }

 private:
  std::string where_;
  std::shared_ptr<Mapping> file_;
  char* data_ = nullptr;
  std::vector<SafetensorsEntry> entries_;
};

// --- Writing -----------------------------------------------------------------------------------

size_t dtype_index(const std::string& where, const TensorSpec& spec) {
  const auto found = std::find_if(kSafetensorsDtypes.begin(), kSafetensorsDtypes.end(),
                                  [&](const SafetensorsDtype& dtype) {
                                    return dtype.type == spec.dtype && dtype.unsigned_mask == 0;
                                  });
  if (found == kSafetensorsDtypes.end()) {
    throw Error(where + ": tensor `" + spec.name + "` has dtype " + at::toString(spec.dtype) +
                ", which safetensors files here do not hold");
  }
  return static_cast<size_t>(found - kSafetensorsDtypes.begin());
}

uint64_t bytes_of(const std::string& where, const TensorSpec& spec) {
  const bool negative =
      std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t size) { return size < 0; });
  const auto bytes =
      negative ? std::nullopt : tensor_bytes(spec.shape, at::elementSize(spec.dtype));
  if (!bytes) {
    throw Error(where + ": tensor `" + spec.name + "` cannot have shape " +
                describe(c10::IntArrayRef(spec.shape)));
  }
  return *bytes;
}

}  // namespace

std::map<std::string, at::Tensor> read_safetensors(const std::filesystem::path& path) {
  const OpenFile file(path);
  std::map<std::string, at::Tensor> tensors;
  for (const SafetensorsEntry& entry : file.entries()) {
    if (entry.dtype) tensors.emplace(entry.name, file.tensor(entry));
  }
  return tensors;
}

std::string stored_digest(const std::filesystem::path& path) {
  const Mapping file(path);
  const std::string where = path.string();
  return safetensors_metadata(where, header_text(where, file), kDigest);
}

std::map<std::string, at::Tensor> read_safetensors(const std::filesystem::path& path,
                                                   const std::vector<std::string>& names) {
  const OpenFile file(path);
  std::map<std::string, at::Tensor> tensors;
  for (const SafetensorsEntry& entry : file.entries()) {
    if (std::find(names.begin(), names.end(), entry.name) == names.end()) continue;
    tensors.emplace(entry.name, file.tensor(entry));
  }
  return tensors;
}

std::vector<std::string> safetensors_names(const std::filesystem::path& path) {
  const OpenFile file(path);
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : file.entries()) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

/// Where everything is in the file, in bytes.
struct SafetensorsWriter::Layout {
  struct Placement {
    TensorSpec spec;
    uint64_t offset;
  };
  std::map<std::string, Placement> placements;
  uint64_t size = 0;          ///< of the whole file
  uint64_t digest_place = 0;  ///< 0 where it has none
};

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path, std::vector<TensorSpec> tensors,
                                     Unfinished unfinished, WithDigest with_digest)
    : layout_(std::make_unique<Layout>()) {
  const std::string where = path.string();
  const auto comes_before = [&](const TensorSpec& left, const TensorSpec& right) {
    const size_t left_dtype = dtype_index(where, left), right_dtype = dtype_index(where, right);
    return std::tie(right_dtype, left.name) < std::tie(left_dtype, right.name);
  };
  for (const TensorSpec& spec : tensors) dtype_index(where, spec);
  std::sort(tensors.begin(), tensors.end(), comes_before);

  const std::string no_digest(kDigestLength, '-');
  std::vector<std::string> members;
  if (with_digest == WithDigest::yes)
    members.push_back(json_text(kSafetensorsMetadata) + ":" +
                      json_text({{kDigest, no_digest}}, -1));
  uint64_t size = 0;
  for (TensorSpec& spec : tensors) {
    const uint64_t end = size + bytes_of(where, spec);
    if (spec.name == kSafetensorsMetadata || layout_->placements.contains(spec.name)) {
      throw Error(where + ": there cannot be " +
                  (spec.name == kSafetensorsMetadata ? "a tensor" : "two tensors") + " named `" +
                  spec.name + "`");
    }
    const nlohmann::ordered_json entry = {
        {"dtype", kSafetensorsDtypes[dtype_index(where, spec)].name},
        {"shape", spec.shape},
        {"data_offsets", {size, end}}};
    members.push_back(json_text(spec.name) + ":" + json_text(entry, -1));
    const std::string name = spec.name;
    layout_->placements.emplace(name, Layout::Placement{std::move(spec), size});
    size = end;
  }

  std::string header_text = "{" + joined(members, ",") + "}";
  header_text.resize((header_text.size() + 7) / 8 * 8, ' ');
  const uint64_t header_length = header_text.size();
  const uint64_t data_begin = kLengthBytes + header_length;
  for (auto& [name, placement] : layout_->placements) placement.offset += data_begin;

  if (with_digest == WithDigest::yes)
    layout_->digest_place = kLengthBytes + header_text.find(no_digest);
  layout_->size = data_begin + size;
  file_ = std::make_unique<PartialFile>(std::move(path), unfinished);
  file_->resize(layout_->size);
  file_->write_at(&header_length, kLengthBytes, 0);
  file_->write_at(header_text.data(), header_length, kLengthBytes);
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write_rows(const std::string& name, int64_t first_row,
                                   const at::Tensor& rows) {
  if (!file_) throw Error("tensor `" + name + "` is written to a finished safetensors file");
  const std::string where = file_->path().string() + ": tensor `" + name + "`";
  const auto found = layout_->placements.find(name);
  if (found == layout_->placements.end()) throw Error(where + " was not announced");
  const TensorSpec& spec = found->second.spec;

  const at::IntArrayRef shape = spec.shape, given = rows.sizes();
  const bool scalar = shape.empty();
  const int64_t row_count = scalar || given.empty() ? 1 : given.front();
  const int64_t rows_in_all = scalar ? 1 : shape.front();
  const bool fits = rows.scalar_type() == spec.dtype && given.size() == shape.size() &&
                    (scalar || given.slice(1) == shape.slice(1)) && first_row >= 0 &&
                    row_count <= rows_in_all && first_row <= rows_in_all - row_count;
  if (!fits) {
    throw Error(where + " is " + at::toString(spec.dtype) + " " + describe(shape) + ", but " +
                at::toString(rows.scalar_type()) + " " + describe(given) +
                " was to be put at row " + std::to_string(first_row));
  }
  const at::Tensor contiguous = rows.detach().to(at::kCPU).contiguous();
  if (contiguous.numel() == 0) return;
  const uint64_t row_bytes = contiguous.nbytes() / static_cast<uint64_t>(row_count);
  file_->write_at(contiguous.const_data_ptr(), contiguous.nbytes(),
                  found->second.offset + static_cast<uint64_t>(first_row) * row_bytes);
}

void SafetensorsWriter::set_digest(const std::string& digest) {
  if (layout_->digest_place == 0 || digest.size() != kDigestLength)
    throw Error(file_->path().string() + ": has no place for the digest " + digest);
  file_->write_at(digest.data(), digest.size(), layout_->digest_place);
}

void SafetensorsWriter::sync() { file_->sync(); }

bool SafetensorsWriter::found_whole() const { return file_->found_size() == layout_->size; }

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
