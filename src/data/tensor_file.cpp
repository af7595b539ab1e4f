#include "data/tensor_file.h"

#include <algorithm>
#include <array>
#include <set>
#include <system_error>

#include "data/csv.h"
#include "describe.h"
#include "neurontune/data/npz.h"
#include "neurontune/data/safetensors.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr const char* kSafetensors = ".safetensors";
constexpr const char* kNpz = ".npz";
constexpr std::array<const char*, 2> kNoSplits = {"head", "spuriousness"};

/// Also a link to nothing: reading it says what is wrong.
bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

bool may_be_split(const std::filesystem::path& path) {
  const std::string name = path.stem().string();
  return (path.extension() == kSafetensors || path.extension() == kNpz) && !name.starts_with('.') &&
         std::find(kNoSplits.begin(), kNoSplits.end(), name) == kNoSplits.end();
}

}  // namespace

std::optional<std::filesystem::path> find_tensor_file(const std::filesystem::path& folder,
                                                      const std::string& name) {
  const std::filesystem::path safetensors = folder / (name + kSafetensors);
  const std::filesystem::path npz = folder / (name + kNpz);
  if (!is_there(safetensors)) return is_there(npz) ? std::optional(npz) : std::nullopt;
  if (is_there(npz)) {
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
