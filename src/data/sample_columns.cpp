#include "data/sample_columns.h"

#include <ATen/ATen.h>

#include <sstream>
#include <system_error>
#include <utility>

#include "base/byte_escapes.h"
#include "base/describe.h"
#include "data/groups.h"
#include "data/tensor_file.h"
#include "io/file_io.h"
#include "neurontune/base/error.h"
#include "neurontune/io/npz.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {
namespace {

constexpr int64_t kMostIndices = int64_t{1} << 31;

/// What the indices of a column may be.
struct IndexRange {
  int64_t first = 0;     ///< the least
  int64_t limit = 0;     ///< over all of them
  std::string expected;  ///< the same in words, and what sets it
};

/// An integer a sample, each in the range.
at::Tensor checked_indices(const std::string& where, const std::string& name,
                           const at::Tensor& tensor, const ColumnLimits& limits,
                           const IndexRange& range) {
  if (tensor.dim() != 1 || !at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false)) {
    throw Error(where + ": `" + name + "` is " + describe(tensor) + ", expected integers [N]");
  }
  if (tensor.size(0) != limits.rows) {
    throw Error(where + ": " + name + " has " + std::to_string(tensor.size(0)) + " rows, " +
                limits.counted + " has " + std::to_string(limits.rows));
  }
  at::Tensor indices = tensor.to(at::kLong);
  const int64_t* index = indices.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < limits.rows; ++row) {
    if (index[row] >= range.first && index[row] < range.limit) continue;
    throw Error(where + ": " + name + "[" + std::to_string(row) + "] is " +
                std::to_string(index[row]) + ", expected " + range.expected);
  }
  return indices;
}

/// Attributes that are kept as floating numbers, since some are NaN: not known.
at::Tensor whole_numbers(const at::Tensor& tensor) {
  if (!at::isFloatingType(tensor.scalar_type())) return tensor;
  const auto known = at::where(tensor.isnan(), at::full_like(tensor, kUnknownAttribute), tensor);
  const bool whole = known.isfinite().all().item<bool>() && known.frac().eq(0).all().item<bool>();
  return whole ? known.to(at::kLong) : tensor;
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> result;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    result.push_back(unescaped(line));
  }
  return result;
}

std::vector<std::string> read_ids(const std::filesystem::path& path, const ColumnLimits& limits,
                                  const std::string& array) {
  const auto beside = std::filesystem::path(path).replace_extension(".ids.txt");
  std::error_code ignored;
  const bool has_lines = std::filesystem::exists(beside, ignored);
  std::vector<std::string> ids;
  if (has_lines) {
    ids = lines_of(beside);
  } else if (path.extension() == ".npz") {
    ids = read_npz_strings(path, array);
    if (ids.empty()) return {};
  } else {
    return {};
  }
  if (static_cast<int64_t>(ids.size()) == limits.rows) return ids;
  const std::string count = std::to_string(ids.size());
  throw Error((has_lines ? beside.string() + ": has " + count + " lines"
                         : path.string() + ": " + array + " has " + count + " rows") +
              ", " + limits.counted + " has " + std::to_string(limits.rows) + " rows");
}

}  // namespace

std::vector<std::string> sample_column_names(const ArrayNames& names) {
  std::vector<std::string> columns = {names.labels, names.attributes, names.groups};
  if (names.groups == ArrayNames{}.groups) columns.emplace_back("group");
  return columns;
}

SampleColumns read_sample_columns(const std::filesystem::path& path,
                                  const std::map<std::string, at::Tensor>& tensors,
                                  const ColumnLimits& limits, const ArrayNames& names) {
  if (!tensors.contains(names.labels)) {
    throw Error(path.string() + ": has no tensor `" + names.labels + "`, expected I64 [" +
                std::to_string(limits.rows) + "]; " + held_by(path));
  }
  auto columns = checked_columns(path.string(), tensors, limits, names);
  columns.ids = read_ids(path, limits, names.ids);
  return columns;
}

SampleColumns checked_columns(const std::string& where,
                              const std::map<std::string, at::Tensor>& tensors,
                              const ColumnLimits& limits, const ArrayNames& names) {
  const std::string last = std::to_string(kMostIndices - 1);
  const std::string last_class = std::to_string(limits.classes - 1);
  SampleColumns columns;
  columns.labels = checked_indices(
      where, names.labels, tensors.at(names.labels), limits,
      limits.classes == 0 ? IndexRange{0, kMostIndices, "0 to " + last}
                          : IndexRange{0, limits.classes,
                                       "0 to " + last_class + ": the head has " +
                                           std::to_string(limits.classes) + " classes"});
  for (const std::string& name : sample_column_names(names)) {
    const auto found = tensors.find(name);
    if (name == names.labels || found == tensors.end()) continue;
    const auto column =
        checked_indices(where, name, whole_numbers(found->second), limits,
                        {kUnknownAttribute, kMostIndices, "0 to " + last + ", or -1: not known"});
    if (any_attribute_known(column))
      (name == names.attributes ? columns.attributes : columns.groups) = column;
    break;
  }
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
