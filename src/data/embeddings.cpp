#include "neurontune/data/embeddings.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <system_error>
#include <utility>

#include "data/sample_columns.h"
#include "data/tensor_file.h"
#include "describe.h"
#include "neurontune/data/safetensors.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

std::string text(at::IntArrayRef shape) {
  std::ostringstream stream;
  stream << shape;
  return stream.str();
}

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

at::Tensor read_matrix(const std::string& where, const Tensors& tensors, const Head& head) {
  const at::Tensor& embeddings = tensors.at("embeddings");
  if (embeddings.dim() != 2 || embeddings.size(0) < 1 ||
      !at::isFloatingType(embeddings.scalar_type())) {
    throw Error(where + ": `embeddings` is " + describe(embeddings) +
                ", expected F64, F32, F16 or BF16 [N, M] with N of at least 1");
  }
  if (embeddings.size(1) != head.embedding_dim()) {
    throw Error(where + ": embeddings has " + std::to_string(embeddings.size(1)) +
                " dimensions, the head takes " + std::to_string(head.embedding_dim()));
  }
  check_finite(where, "embeddings", embeddings);
  return embeddings;
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

/// What is read of a split's file.
std::vector<std::string> tensor_names() {
  std::vector<std::string> names(kSampleColumns.begin(), kSampleColumns.end());
  names.emplace_back("embeddings");
  return names;
}

/// The splits by name, with the attributes that their groups mean.
std::map<std::string, EmbeddingSplit> read_splits(const std::filesystem::path& folder,
                                                  const Head& head) {
  std::vector<FileColumns> columns;
  std::vector<at::Tensor> embeddings;
  for (const std::filesystem::path& path : find_split_files(folder)) {
    const Tensors tensors = read_tensors(path, tensor_names());
    if (!tensors.contains("embeddings")) continue;
    naming(path, [&] {
      embeddings.push_back(read_matrix(path.string(), tensors, head));
      const ColumnLimits limits{"embeddings", embeddings.back().size(0), head.classes()};
      columns.push_back({path.filename().string(), read_sample_columns(path, tensors, limits)});
    });
  }
  groups_to_attributes(folder, columns);
  std::map<std::string, EmbeddingSplit> splits;
  for (size_t index = 0; index < columns.size(); ++index) {
    auto& [file, known] = columns[index];
    splits.emplace(
        std::filesystem::path(file).stem().string(),
        EmbeddingSplit{embeddings[index], known.labels, known.attributes, std::move(known.ids)});
  }
  return splits;
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
  const auto head_path = find_tensor_file(folder, "head");
  if (!head_path) {
    throw Error((folder / "head.safetensors").string() +
                ": does not exist; it must hold the ERM model's last linear layer, `weight` "
                "[C, M] and optionally `bias` [C]");
  }
  return open(folder, read_head(*head_path));
}

EmbeddingFolder EmbeddingFolder::open(const std::filesystem::path& folder, Head head) {
  check_folder(folder);
  EmbeddingFolder result;
  result.path_ = folder;
  result.head_ = std::move(head);
  result.names_ = Names::read(folder);
  result.splits_ = read_splits(folder, result.head_);
  if (result.splits_.empty()) {
    throw Error(folder.string() +
                ": has no split; expected train.safetensors, train.npz and the like with "
                "`embeddings` [N, M] and `labels` [N]");
  }
  for (const auto& [name, split] : result.splits_) {
    if (!split.attributes.defined()) continue;
    result.attribute_values_ =
        std::max(result.attribute_values_, 1 + split.attributes.max().item<int64_t>());
  }
  return result;
}

const EmbeddingSplit& EmbeddingFolder::split(const std::string& name) const {
  const auto found = splits_.find(name);
  if (found != splits_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [present, ignored] : splits_) names.push_back(present);
  throw Error(path_.string() + ": has no split `" + name + "`; it has " + listed(names));
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
  const Tensors tensors = read_tensors(path, {"weight", "bias"});
  Head head{head_tensor(path, tensors, "weight",
                        "a linear head's [C, M]; a head of several layers goes with its model"),
            {}};
  if (tensors.contains("bias")) head.bias = head_tensor(path, tensors, "bias", "[C]");
  check_head(head, path.string());
  return head.classes() == 1 ? two_classes(head) : head;
}

Head read_head(const std::filesystem::path& path, const Head& like) {
  if (!like.is_linear()) return read_layers(path, read_tensors(path), like);
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
