#include "model/archive.h"

#include <caffe2/serialize/file_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "io/file_io.h"
#include "io/zip_entries.h"
#include "model/file_kind.h"
#include "model/torchscript.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;

/// Reads a file, and remembers which part of it went to which address.
class RecordingReader : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit RecordingReader(const std::string& path) : file_(path) {}

  size_t size() const override { return file_.size(); }
  size_t read(uint64_t place, void* buffer, size_t count, const char* what) const override {
    reads_[buffer] = place;  // memory that was freed is read into again: the last one counts
    return file_.read(place, buffer, count, what);
  }

  std::unordered_map<const void*, uint64_t> reads() const { return reads_; }

 private:
  caffe2::serialize::FileAdapter file_;
  mutable std::unordered_map<const void*, uint64_t> reads_;
};

std::map<uint64_t, std::string> places_of(const fs::path& path) {
  std::map<uint64_t, std::string> places;
  for (const auto& entry : read_zip_entries(path))
    if (entry.stored && entry.size > 0) places[entry.content] = entry.name;
  return places;
}

const ZipEntry& entry_named(const std::vector<ZipEntry>& entries, const std::string& name,
                            const fs::path& path) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const ZipEntry& entry) { return entry.name == name; });
  if (found == entries.end()) throw Error(path.string() + " has no record " + name + " any more");
  return *found;
}

/// Copies a file's content block by block: it need not fit into memory.
void copy_content(const fs::path& source, PartialFile& target) {
  constexpr size_t kBlock = size_t{1} << 22;
  std::ifstream file(source, std::ios::binary);
  if (!file) throw Error(source.string() + " cannot be opened for reading");
  std::string block(kBlock, '\0');
  for (uint64_t offset = 0; file; offset += kBlock) {
    file.read(block.data(), kBlock);
    target.write_at(block.data(), static_cast<uint64_t>(file.gcount()), offset);
  }
  if (file.bad()) throw Error(source.string() + " cannot be read");
}

/// Whether TorchScript's zip reader failed, which asks its user to report that to PyTorch.
bool is_of_the_zip(std::string_view failure) {
  return failure.find("PytorchStreamReader failed reading zip archive") != std::string_view::npos ||
         failure.find("PytorchStreamReader failed retrieving file meta-data") !=
             std::string_view::npos;
}

std::string advice_on(std::string_view failure) {
  const bool lacks_operator =
      failure.find("Unknown builtin op") != std::string_view::npos ||
      failure.find("Unknown type name '__torch__.torch.classes") != std::string_view::npos;
  return lacks_operator ? " Load the library that has it first: load_operators, or --preload-lib"
                        : "";
}

}  // namespace

TensorRecords::TensorRecords(std::unordered_map<const void*, uint64_t> reads,
                             std::map<uint64_t, std::string> records)
    : reads_(std::move(reads)), records_(std::move(records)) {}

std::string TensorRecords::find(const at::Tensor& tensor) const {
  if (!tensor.has_storage()) return "";
  const auto read = reads_.find(tensor.storage().data());
  if (read == reads_.end()) return "";
  const auto record = records_.find(read->second);
  return record == records_.end() ? "" : record->second;
}

Archive read_archive(const fs::path& path) {
  check_is_torchscript(path);
  check_zip_contents(path);
  const auto reader = std::make_shared<RecordingReader>(path.string());
  Archive archive;
  try {
    torchscript::call(path.string() + " cannot be loaded",
                      [&] { archive.module = torch::jit::load(reader, at::kCPU); });
  } catch (const Error& error) {
    if (is_of_the_zip(error.what()))
      throw Error(path.string() +
                  " is a damaged zip file; copy the file or export the model again");
    throw Error(error.what() + advice_on(error.what()));
  }
  archive.records = TensorRecords(reader->reads(), places_of(path));
  return archive;
}

std::string read_record(const fs::path& path, const std::string& record) {
  const auto entries = read_zip_entries(path);
  const auto& entry = entry_named(entries, record, path);
  std::ifstream file(path, std::ios::binary);
  std::string bytes(entry.size, '\0');
  file.seekg(static_cast<std::streamoff>(entry.content));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw Error(path.string() + " cannot be read");
  return bytes;
}

void copy_archive(const fs::path& source, const fs::path& target,
                  const std::map<std::string, std::string>& replaced) {
  const auto entries = read_zip_entries(source);
  PartialFile copy(target);
  copy_content(source, copy);
  for (const auto& [name, bytes] : replaced)
    for (const auto& change : overwriting(source, entry_named(entries, name, source), bytes))
      copy.write_at(change.bytes.data(), change.bytes.size(), change.place);
  copy.commit();
}

}  // namespace neurontune
