#include "model/file_kind.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "io/zip_entries.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHowToExport =
    "; export the model with torch.jit.trace or torch.jit.script and write it with torch.jit.save";

std::string first_bytes(const fs::path& path, size_t count) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path.string() + " cannot be opened for reading");
  std::string bytes(count, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

/// 8 bytes of size, then JSON.
bool starts_as_safetensors(const std::string& bytes) { return bytes.size() > 9 && bytes[8] == '{'; }

/// The protobuf field `ir_version`, and after it the producer's name or the graph.
bool starts_as_onnx(const std::string& bytes) {
  return bytes.size() > 3 && bytes[0] == '\x08' && bytes[1] > 0 && bytes[1] < 32 &&
         (bytes[2] == '\x12' || bytes[2] == '\x3a');
}

std::string kind_of(const fs::path& path) {
  const auto bytes = first_bytes(path, 16);
  if (bytes.empty()) return "it is empty";
  if (starts_as_safetensors(bytes)) return "it is a safetensors file, tensors without a model";
  if (bytes[0] == '\x80') return "it is a pickle, as torch.save once wrote";
  if (starts_as_onnx(bytes)) return "it looks like an ONNX model";
  if (bytes.starts_with("\x89HDF")) return "it is an HDF5 file";
  return "it is no zip file";
}

/// Whether an entry lies in such a folder of the archive's root folder.
bool lies_in(const ZipEntry& entry, std::string_view folder) {
  const auto root = entry.name.find('/');
  return root != std::string::npos &&
         std::string_view(entry.name).substr(root + 1).starts_with(folder);
}

bool any_in(const std::vector<ZipEntry>& entries, std::string_view folder) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const ZipEntry& entry) { return lies_in(entry, folder); });
}

std::string kind_of_zip(const std::vector<ZipEntry>& entries) {
  if (any_in(entries, "archive_format") || any_in(entries, "models/"))
    return "it is a .pt2 file of torch.export";
  if (any_in(entries, "data.pkl"))
    return "it holds no code, as a state_dict or another object written by torch.save";
  return "it is another zip file";
}

}  // namespace

void check_is_torchscript(const fs::path& path) {
  std::error_code ignored;
  if (path.empty()) throw Error("the model's name is empty, expected a TorchScript file");
  if (fs::is_directory(path, ignored))
    throw Error(path.string() + " is a directory, expected a TorchScript file");
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))
    throw Error(path.string() + " is no regular file, expected a TorchScript file");
  if (!fs::exists(path, ignored)) throw Error(path.string() + ": no such file");

  const auto refuse = [&](const std::string& kind) {
    throw Error(path.string() + " is not a TorchScript archive: " + kind + kHowToExport);
  };
  if (!first_bytes(path, 2).starts_with("PK")) refuse(kind_of(path));
  std::vector<ZipEntry> entries;
  try {
    entries = read_zip_entries(path);
  } catch (const Error&) {
    refuse("it is a damaged zip file");
  }
  if (!any_in(entries, "code/")) refuse(kind_of_zip(entries));
}

}  // namespace neurontune
