#include "data/sample_columns.h"

#include <ATen/ATen.h>

#include <sstream>
#include <system_error>
#include <utility>

#include "data/file_io.h"
#include "data/groups.h"
#include "describe.h"
#include "neurontune/data/npz.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr int64_t kMostIndices = int64_t{1} << 31;

/// An integer a sample, each from 0 to `limit` − 1.
/// @param bound what sets the limit, for the message
at::Tensor checked_indices(const std::string& where, const std::string& name,
                           const at::Tensor& tensor, const ColumnLimits& limits, int64_t limit,
                           const std::string& bound) {
  if (tensor.dim() != 1 || !at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false)) {
    throw Error(where + ": `" + name + "` is " + describe(tensor) + ", expected I64 [N]");
  }
  if (tensor.size(0) != limits.rows) {
    throw Error(where + ": " + name + " has " + std::to_string(tensor.size(0)) + " rows, " +
                limits.counted + " has " + std::to_string(limits.rows));
  }
  at::Tensor indices = tensor.to(at::kLong);
  const int64_t* index = indices.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < limits.rows; ++row) {
    if (index[row] >= 0 && index[row] < limit) continue;
    throw Error(where + ": " + name + "[" + std::to_string(row) + "] is " +
                std::to_string(index[row]) + ", expected " + bound);
  }
  return indices;
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> result;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    result.push_back(std::move(line));
  }
  return result;
}

std::vector<std::string> read_ids(const std::filesystem::path& path, const ColumnLimits& limits) {
  const auto beside = std::filesystem::path(path).replace_extension(".ids.txt");
  std::error_code ignored;
  const bool has_lines = std::filesystem::exists(beside, ignored);
  std::vector<std::string> ids;
  if (has_lines) {
    ids = lines_of(beside);
  } else if (path.extension() == ".npz") {
    ids = read_npz_strings(path, kIds);
    if (ids.empty()) return {};
  } else {
    return {};
  }
  if (static_cast<int64_t>(ids.size()) == limits.rows) return ids;
  const std::string count = std::to_string(ids.size());
  throw Error((has_lines ? beside.string() + ": has " + count + " lines"
                         : path.string() + ": " + kIds + " has " + count + " rows") +
              ", " + limits.counted + " has " + std::to_string(limits.rows) + " rows");
}

}  // namespace

SampleColumns read_sample_columns(const std::filesystem::path& path,
                                  const std::map<std::string, at::Tensor>& tensors,
                                  const ColumnLimits& limits) {
  const std::string where = path.string();
  const std::string any_index = "0 to " + std::to_string(kMostIndices - 1);
  SampleColumns columns;
  if (!tensors.contains("labels")) {
    throw Error(where + ": has no tensor `labels`, expected I64 [" + std::to_string(limits.rows) +
                "]");
  }
  const std::string last_class = std::to_string(limits.classes - 1);
  const bool any_label = limits.classes == 0;
  columns.labels = checked_indices(
      where, "labels", tensors.at("labels"), limits, any_label ? kMostIndices : limits.classes,
      any_label
          ? any_index
          : "0 to " + last_class + ": the head has " + std::to_string(limits.classes) + " classes");
  for (const char* name : {"attributes", "groups", "group"}) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) continue;
    auto& column = found->first == "attributes" ? columns.attributes : columns.groups;
    column = checked_indices(where, name, found->second, limits, kMostIndices, any_index);
    break;
  }
  columns.ids = read_ids(path, limits);
  return columns;
}

void groups_to_attributes(const std::filesystem::path& folder, std::vector<FileColumns>& splits) {
  std::vector<GroupedSplit> grouped;
  for (const auto& [file, columns] : splits) {
    if (columns.groups.defined()) grouped.push_back({file, columns.labels, columns.groups});
  }
  const auto attributes = attributes_of_groups(folder.string(), grouped);
  auto next = attributes.begin();
  for (auto& [file, columns] : splits) {
    if (!columns.groups.defined()) continue;
    columns.attributes = *next++;
    columns.groups = at::Tensor();
  }
}

}  // namespace neurontune
