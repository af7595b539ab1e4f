#include "data/tensor_file.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "base/describe.h"
#include "io/csv.h"
#include "io/file_io.h"
#include "neurontune/base/error.h"
#include "neurontune/data/split.h"
#include "neurontune/io/npz.h"
#include "neurontune/io/safetensors.h"

namespace neurontune {
namespace {

constexpr const char* kSafetensors = ".safetensors";
constexpr const char* kNpz = ".npz";

bool may_be_split(const std::filesystem::path& path) {
  const std::string name = path.stem().string();
  return (path.extension() == kSafetensors || path.extension() == kNpz) && !name.starts_with('.') &&
         std::find(kFilesBesideSplits.begin(), kFilesBesideSplits.end(), name) ==
             kFilesBesideSplits.end();
}

}  // namespace

std::optional<std::filesystem::path> find_tensor_file(const std::filesystem::path& folder,
                                                      const std::string& name) {
  const std::filesystem::path safetensors = folder / (name + kSafetensors);
  const std::filesystem::path npz = folder / (name + kNpz);
  if (!entry_exists(safetensors)) return entry_exists(npz) ? std::optional(npz) : std::nullopt;
  if (entry_exists(npz)) {
    throw Error(folder.string() + ": has both " + safetensors.filename().string() + " and " +
                npz.filename().string() + ", expected one of them");
  }
  return safetensors;
}

std::vector<std::filesystem::path> find_split_files(const std::filesystem::path& folder) {
  std::error_code error;
  std::set<std::string> names;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (may_be_split(entry->path())) names.insert(entry->path().stem().string());
  }
  if (error) throw Error(folder.string() + ": cannot be read: " + error.message());
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    if (auto file = find_tensor_file(folder, name)) files.push_back(std::move(*file));
  }
  return files;
}

std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path) {
  return path.extension() == kNpz ? read_npz(path) : read_safetensors(path);
}

std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path,
                                               const std::vector<std::string>& names) {
  return path.extension() == kNpz ? read_npz(path, names) : read_safetensors(path, names);
}

std::vector<std::string> tensor_names(const std::filesystem::path& path) {
  return path.extension() == kNpz ? npz_names(path) : safetensors_names(path);
}

std::string held_by(const std::filesystem::path& path) {
  auto names = tensor_names(path);
  for (auto& name : names) name = shown_cell(name);
  return names.empty() ? "it holds nothing" : "it holds " + listed(names);
}

}  // namespace neurontune
