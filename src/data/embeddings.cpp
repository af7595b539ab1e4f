#include "neurontune/data/embeddings.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "data/file_io.h"
#include "neurontune/data/safetensors.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr const char* kExtension = ".safetensors";
constexpr const char* kHead = "head";
constexpr const char* kScores = "spuriousness";  // what the method writes; no split

using Tensors = std::map<std::string, at::Tensor>;

std::string text(at::IntArrayRef shape) {
  std::ostringstream stream;
  stream << shape;
  return stream.str();
}

std::string described(const char* name, const at::Tensor& tensor) {
  return std::string("`") + name + "` is " + at::toString(tensor.scalar_type()) + " " +
         text(tensor.sizes());
}

bool is_integral(at::ScalarType type) { return at::isIntegralType(type, /*includeBool=*/false); }

/// Finds the first NaN or infinity, block by block: the set may be larger than the memory.
void check_finite(const std::string& where, const char* name, const at::Tensor& tensor) {
  constexpr int64_t kBlockElements = int64_t{1} << 22;
  const at::Tensor flat = tensor.view(-1);
  for (int64_t first = 0; first < flat.size(0); first += kBlockElements) {
    const at::Tensor block = flat.narrow(0, first, std::min(kBlockElements, flat.size(0) - first));
    const auto [smallest, largest] = at::aminmax(block);  // a NaN makes both NaN
    if (std::isfinite(smallest.item<double>()) && std::isfinite(largest.item<double>())) continue;
    const int64_t place = block.isfinite().logical_not().nonzero()[0].item<int64_t>();
    const int64_t columns = tensor.size(-1), index = first + place;
    const std::string position = tensor.dim() == 1 ? std::to_string(index)
                                                   : std::to_string(index / columns) + ", " +
                                                         std::to_string(index % columns);
    std::ostringstream value;
    value << block[place].item<double>();
    throw Error(where + ": `" + name + "`[" + position + "] is " + value.str() +
                ", expected finite values");
  }
}

/// An integer a row, each from 0 to `limit` − 1.
/// @param bound what sets the limit, for the message
at::Tensor read_indices(const std::string& where, const char* name, const Tensors& tensors,
                        int64_t rows, int64_t limit, const std::string& bound) {
  const at::Tensor& tensor = tensors.at(name);
  if (tensor.dim() != 1 || !is_integral(tensor.scalar_type())) {
    throw Error(where + ": " + described(name, tensor) + ", expected I64 [N]");
  }
  if (tensor.size(0) != rows) {
    throw Error(where + ": " + name + " has " + std::to_string(tensor.size(0)) +
                " rows, embeddings has " + std::to_string(rows));
  }
  at::Tensor indices = tensor.to(at::kLong);
  const int64_t* index = indices.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    if (index[row] < 0 || index[row] >= limit) {
      throw Error(where + ": " + name + "[" + std::to_string(row) + "] is " +
                  std::to_string(index[row]) + ", expected " + bound);
    }
  }
  return indices;
}

/// A line a sample; none where there is no such file.
std::vector<std::string> read_ids(const std::filesystem::path& path, int64_t rows) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  std::vector<std::string> ids;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    ids.push_back(std::move(line));
  }
  if (static_cast<int64_t>(ids.size()) != rows) {
    throw Error(path.string() + ": has " + std::to_string(ids.size()) + " lines, embeddings has " +
                std::to_string(rows) + " rows");
  }
  return ids;
}

at::Tensor read_matrix(const std::string& where, const Tensors& tensors, const Head& head) {
  const at::Tensor& embeddings = tensors.at("embeddings");
  if (embeddings.dim() != 2 || embeddings.size(0) < 1 ||
      !at::isFloatingType(embeddings.scalar_type())) {
    throw Error(where + ": " + described("embeddings", embeddings) +
                ", expected F64, F32, F16 or BF16 [N, M] with N of at least 1");
  }
  if (embeddings.size(1) != head.embedding_dim()) {
    throw Error(where + ": embeddings has " + std::to_string(embeddings.size(1)) +
                " dimensions, the head takes " +
                std::to_string(head.embedding_dim()));
  }
  check_finite(where, "embeddings", embeddings);
  return embeddings;
}

EmbeddingSplit read_split(const std::filesystem::path& path, const Tensors& tensors,
                          const Head& head) {
  const std::string where = path.string();
  EmbeddingSplit split;
  split.embeddings = read_matrix(where, tensors, head);
  const int64_t rows = split.embeddings.size(0);
  if (!tensors.contains("labels")) {
    throw Error(where + ": has no tensor `labels`, expected I64 [" + std::to_string(rows) + "]");
  }
  split.labels = read_indices(where, "labels", tensors, rows, head.classes(),
                              "0 to " + std::to_string(head.classes() - 1) + ": the head has " +
                                  std::to_string(head.classes()) + " classes");
  if (tensors.contains("attributes")) {
    constexpr int64_t kMostAttributes = int64_t{1} << 31;
    split.attributes = read_indices(where, "attributes", tensors, rows, kMostAttributes,
                                    "0 to " + std::to_string(kMostAttributes - 1));
  }
  split.ids = read_ids(std::filesystem::path(path).replace_extension(".ids.txt"), rows);
  return split;
}

/// The files that may be splits, in order of name.
std::vector<std::filesystem::path> candidates(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    const bool candidate = path.extension() == kExtension && path.stem() != kHead &&
                           path.stem() != kScores && !path.filename().string().starts_with('.');
    if (candidate) files.push_back(path);
  }
  if (error) throw Error(folder.string() + ": cannot be read: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

/// The one line of a failed check in another room, with the file's name before it.
template <class Action>
auto naming(const std::filesystem::path& path, const Action& action) {
  try {
    return action();
  } catch (const c10::Error& error) {
    throw Error(path.string() + ": " + error.what_without_backtrace());
  }
}

void check_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw Error(folder.string() + ": is no folder of embeddings");
}

/// A copy of a finite tensor of a head file, so that the head does not hang on the file.
at::Tensor head_tensor(const std::filesystem::path& path, const Tensors& tensors,
                       const std::string& name, const std::string& expected) {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    throw Error(path.string() + ": has no tensor `" + name + "`, expected " + expected);
  auto copy = found->second.clone();
  naming(path, [&] { check_finite(path.string(), name.c_str(), copy); });
  return copy;
}

void check_shape(const std::filesystem::path& path, const std::string& name,
                 const at::Tensor& found, const at::Tensor& expected) {
  if (found.sizes() != expected.sizes())
    throw Error(path.string() + ": " + name + " is " + text(found.sizes()) + ", expected " +
                text(expected.sizes()));
}

Head read_layers(const std::filesystem::path& path, const Tensors& tensors, const Head& like) {
  Head head = like;
  const auto replace = [&](at::Tensor& tensor, const std::string& name) {
    auto found = head_tensor(path, tensors, name, "the head's " + text(tensor.sizes()));
    check_shape(path, name, found, tensor);
    tensor = std::move(found);
  };
  const auto& later = *like.later_layers;
  replace(head.weight, later.weight_name);
  if (like.bias.defined()) replace(head.bias, later.bias_name);
  for (std::size_t i = 0; i < later.parameter_names.size(); ++i)
    replace(head.later_parameters[i], later.parameter_names[i]);
  return head;
}

}  // namespace

EmbeddingFolder EmbeddingFolder::open(const std::filesystem::path& folder) {
  check_folder(folder);
  std::error_code ignored;
  const std::filesystem::path head_path = folder / (std::string(kHead) + kExtension);
  if (!std::filesystem::exists(head_path, ignored)) {
    throw Error(head_path.string() +
                ": does not exist; it must hold the ERM model's last linear layer, `weight` "
                "[C, M] and optionally `bias` [C]");
  }
  return open(folder, read_head(head_path));
}

EmbeddingFolder EmbeddingFolder::open(const std::filesystem::path& folder, Head head) {
  check_folder(folder);
  EmbeddingFolder result;
  result.path_ = folder;
  result.head_ = std::move(head);
  result.names_ = Names::read(folder);
  for (const std::filesystem::path& path : candidates(folder)) {
    const Tensors tensors = read_safetensors(path);
    if (!tensors.contains("embeddings")) continue;
    EmbeddingSplit split = naming(path, [&] { return read_split(path, tensors, result.head_); });
    if (split.attributes.defined()) {
      result.attribute_values_ =
          std::max(result.attribute_values_, 1 + split.attributes.max().item<int64_t>());
    }
    result.splits_.emplace(path.stem().string(), std::move(split));
  }
  if (result.splits_.empty()) {
    throw Error(folder.string() +
                ": has no split; expected train.safetensors and the like with `embeddings` "
                "[N, M] and `labels` [N]");
  }
  return result;
}

const EmbeddingSplit& EmbeddingFolder::split(const std::string& name) const {
  const auto found = splits_.find(name);
  if (found != splits_.end()) return found->second;
  std::string names;
  for (const auto& [present, ignored] : splits_) names += (names.empty() ? "" : ", ") + present;
  throw Error(path_.string() + ": has no split `" + name + "`; it has " + names);
}

EmbeddingSplit EmbeddingFolder::select(const SplitSelector& selector) const {
  const EmbeddingSplit& whole = split(selector.name);
  if (selector.parts == 1) return whole;
  const at::Tensor rows = part_rows(whole.labels, selector);
  if (rows.size(0) == 0) {
    throw Error(path_.string() + ": part " + std::to_string(selector.part) + " of " +
                std::to_string(selector.parts) + " of split `" + selector.name +
                "` holds no sample; the split has " + std::to_string(whole.labels.size(0)));
  }
  EmbeddingSplit part;
  part.embeddings = whole.embeddings.index_select(0, rows);
  part.labels = whole.labels.index_select(0, rows);
  if (whole.attributes.defined()) part.attributes = whole.attributes.index_select(0, rows);
  const int64_t* row = rows.const_data_ptr<int64_t>();
  for (int64_t index = 0; !whole.ids.empty() && index < rows.size(0); ++index) {
    part.ids.push_back(whole.ids[static_cast<size_t>(row[index])]);
  }
  return part;
}

Head read_head(const std::filesystem::path& path) {
  const Tensors tensors = read_safetensors(path);
  Head head{head_tensor(path, tensors, "weight",
                        "a linear head's [C, M]; a head of several layers goes with its model"),
            {}};
  if (tensors.contains("bias")) head.bias = head_tensor(path, tensors, "bias", "[C]");
  check_head(head, path.string());
  return head.classes() == 1 ? two_classes(head) : head;
}

Head read_head(const std::filesystem::path& path, const Head& like) {
  if (!like.is_linear()) return read_layers(path, read_safetensors(path), like);
  auto head = read_head(path);
  check_shape(path, "weight", head.weight, like.weight);
  return head;
}

void write_head(const std::filesystem::path& path, const Head& head) {
  const auto filed = head.is_linear() && head.single_logit ? one_logit(head) : head;
  const auto* later = filed.later_layers.get();
  std::vector<std::pair<std::string, at::Tensor>> tensors = {
      {later ? later->weight_name : "weight", filed.weight}};
  if (filed.bias.defined()) tensors.emplace_back(later ? later->bias_name : "bias", filed.bias);
  for (std::size_t i = 0; i < filed.later_parameters.size(); ++i)
    tensors.emplace_back(later->parameter_names[i], filed.later_parameters[i]);
  write_safetensors(path, tensors);
}

}  // namespace neurontune
