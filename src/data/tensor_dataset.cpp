#include "data/tensor_dataset.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "base/describe.h"
#include "base/digest.h"
#include "data/sample_columns.h"
#include "data/tensor_file.h"
#include "io/tensor_bytes.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

/// A file's name, size and time: another text if it has been written anew.
std::string state_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  const auto time =
      error ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(path, error);
  if (error) throw Error(path.string() + ": " + error.message());
  return path.filename().string() + ", " + std::to_string(bytes) + " bytes, time " +
         std::to_string(time.time_since_epoch().count());
}

/// The tensors of a split's file.
class TensorDataset : public Dataset {
 public:
  /// @param file   what `state_of` says of the file
  /// @param inputs at least one, [N, …] each
  TensorDataset(std::string split, std::string file, Tensors inputs, SampleColumns columns)
      : split_(std::move(split)),
        file_(std::move(file)),
        inputs_(std::move(inputs)),
        columns_(std::move(columns)) {}

  int64_t size() const override { return columns_.labels.size(0); }
  at::Tensor labels() const override { return columns_.labels; }
  at::Tensor attributes() const override { return columns_.attributes; }

  std::vector<std::string> ids() const override {
    if (!columns_.ids.empty()) return columns_.ids;
    std::vector<std::string> ids;
    for (int64_t row = 0; row < size(); ++row) {
      ids.push_back(split_ + "[" + std::to_string(row) + "]");
    }
    return ids;
  }

  std::vector<std::string> input_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : inputs_) names.push_back(name);
    return names;
  }

  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    if (first < 0 || first >= last || last > size()) {
      throw Error("samples " + std::to_string(first) + " to " + std::to_string(last) +
                  " were asked for, the split has " + std::to_string(size()));
    }
    std::vector<at::Tensor> rows;
    for (const auto& [name, tensor] : inputs_) {
      rows.push_back(tensor.narrow(0, first, last - first));
    }
    return rows;
  }

  std::string fingerprint() const override {
    std::string known = bytes_of(columns_.labels) + bytes_of(columns_.attributes);
    for (const std::string& id : ids()) known += id + '\n';
    return std::to_string(size()) + " rows of tensors, " + file_ + ", labels and the like " +
           text_digest(known);
  }

 private:
  std::string split_, file_;
  Tensors inputs_;
  SampleColumns columns_;
};

/// The tensors of a file that are inputs, each with a row for each of `rows` labels.
Tensors inputs_of(const std::string& where, Tensors tensors, int64_t rows) {
  for (const std::string& name : sample_column_names()) tensors.erase(name);
  tensors.erase(ArrayNames{}.ids);
  if (tensors.contains("embeddings")) {
    throw Error(where +
                ": holds `embeddings`, expected a model's inputs; give its folder to "
                "--embeddings");
  }
  if (tensors.empty()) {
    throw Error(where + ": has no tensor `inputs`, nor any other to be an input");
  }
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dim() > 0 && tensor.size(0) == rows) continue;
    throw Error(where + ": `" + name + "` is " + describe(tensor) + ", labels has " +
                std::to_string(rows) +
                " rows; every tensor but labels, attributes, groups and ids "
                "is an input, a row for each sample");
  }
  return tensors;
}

/// Every tensor of a split's file, among them `labels` [N] with N of at least 1.
Tensors read_labelled(const std::filesystem::path& path) {
  Tensors tensors = read_tensors(path);
  // What a file holds under these names must be read; of other names, text and dtypes that LibTorch
  // has not are passed over.
  std::vector<std::string> absent = sample_column_names();
  absent.emplace_back("inputs");
  std::erase_if(absent, [&](const auto& name) { return tensors.contains(name); });
  read_tensors(path, absent);
  const auto labels = tensors.find("labels");
  if (labels == tensors.end()) {
    throw Error(path.string() + ": has no tensor `labels`, expected I64 [N]; " + held_by(path));
  }
  if (labels->second.dim() != 1 || labels->second.size(0) < 1) {
    throw Error(path.string() + ": `labels` is " + describe(labels->second) +
                ", expected I64 [N] with N of at least 1");
  }
  return tensors;
}

/// train, val and test come first.
int place_of(const std::string& split) {
  const std::vector<std::string> first = {"train", "val", "test"};
  return static_cast<int>(std::find(first.begin(), first.end(), split) - first.begin());
}

}  // namespace

std::vector<DatasetSplit> open_tensor_splits(const std::filesystem::path& folder) {
  auto paths = find_split_files(folder);
  std::stable_sort(paths.begin(), paths.end(), [](const auto& left, const auto& right) {
    return place_of(left.stem().string()) < place_of(right.stem().string());
  });
  std::vector<FileColumns> columns;
  std::vector<Tensors> inputs;
  for (const auto& path : paths) {
    Tensors tensors = read_labelled(path);
    const int64_t rows = tensors.at("labels").size(0);
    columns.push_back({path.filename().string(),
                       read_sample_columns(path, tensors, {"labels", rows, /*classes=*/0})});
    inputs.push_back(inputs_of(path.string(), std::move(tensors), rows));
  }
  groups_to_attributes(folder, columns);
  std::vector<DatasetSplit> splits;
  for (size_t index = 0; index < paths.size(); ++index) {
    const std::string name = paths[index].stem().string();
    splits.push_back({name, std::make_unique<TensorDataset>(name, state_of(paths[index]),
                                                            std::move(inputs[index]),
                                                            std::move(columns[index].columns))});
  }
  return splits;
}

}  // namespace neurontune
