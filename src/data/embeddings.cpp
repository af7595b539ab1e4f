#include "neurontune/data/embeddings.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "base/checks.h"
#include "base/describe.h"
#include "data/attribute_notices.h"
#include "data/sample_columns.h"
#include "data/split_digest.h"
#include "data/tensor_file.h"
#include "neurontune/base/error.h"
#include "neurontune/io/safetensors.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

void check_finite(const std::string& where, const char* name, const at::Tensor& tensor) {
  const bool is_vector = tensor.dim() == 1;
  const auto found = first_not_finite(is_vector ? tensor.unsqueeze(1) : tensor);
  if (!found) return;
  throw Error(where + ": `" + name + "`[" + std::to_string(found->row) +
              (is_vector ? "" : ", " + std::to_string(found->column)) + "] is " +
              describe(found->value) + ", expected finite values");
}

at::Tensor read_matrix(const std::string& where, const std::string& name,
                       const at::Tensor& embeddings, const Head& head) {
  if (embeddings.dim() != 2 || embeddings.size(0) < 1 ||
      !at::isFloatingType(embeddings.scalar_type())) {
    throw Error(where + ": `" + name + "` is " + describe(embeddings) +
                ", expected F64, F32, F16 or BF16 [N, M] with N of at least 1");
  }
  if (embeddings.size(1) != head.embedding_dim()) {
    throw Error(where + ": " + name + " has " + std::to_string(embeddings.size(1)) +
                " dimensions, the head takes " + std::to_string(head.embedding_dim()));
  }
  check_finite(where, name.c_str(), embeddings);
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

constexpr const char* kHowToName = "; --arrays embeddings=NAME,labels=NAME,… says what is what";

/// What the files of a folder hold.
struct FoundSplits {
  std::map<std::string, EmbeddingSplit> splits;
  std::map<std::string, std::string> passed_over;  ///< by name: why the file is no split
  std::vector<std::string> warnings;
};

/// Reads a folder's files one by one.
class SplitReader {
 public:
  SplitReader(const Head& head, const ArrayNames& names) : head_(head), names_(names) {}

  void read(const std::filesystem::path& path) {
    auto wanted = sample_column_names(names_);
    wanted.push_back(names_.embeddings);
    const Tensors tensors = read_tensors(path, wanted);
    const auto embeddings = tensors.find(names_.embeddings);
    if (embeddings == tensors.end()) {
      passed_over_[path.stem().string()] = path.filename().string() + " has no array `" +
                                           names_.embeddings + "`; " + held_by(path) + kHowToName;
      return;
    }
    check_split_digest(path);
    naming(path, [&] {
      matrices_.push_back(read_matrix(path.string(), names_.embeddings, embeddings->second, head_));
      const ColumnLimits limits{names_.embeddings, matrices_.back().size(0), head_.classes()};
      columns_.push_back(
          {path.filename().string(), read_sample_columns(path, tensors, limits, names_)});
    });
    look_for_misspelt(path, columns_.back().columns);
  }

  /// The splits by name, with the attributes that their groups mean.
  FoundSplits finish(const std::filesystem::path& folder) {
    groups_to_attributes(folder, columns_);
    FoundSplits found{{}, std::move(passed_over_), std::move(warnings_)};
    for (size_t index = 0; index < columns_.size(); ++index) {
      auto& [file, known] = columns_[index];
      found.splits.emplace(
          std::filesystem::path(file).stem().string(),
          EmbeddingSplit{matrices_[index], known.labels, known.attributes, std::move(known.ids)});
    }
    return found;
  }

 private:
  void look_for_misspelt(const std::filesystem::path& path, const SampleColumns& columns) {
    if (columns.attributes.defined() || columns.groups.defined()) return;
    auto others = tensor_names(path);
    auto known = sample_column_names(names_);
    known.insert(known.end(), {names_.embeddings, names_.ids});
    std::erase_if(others, [&](const auto& name) {
      return std::find(known.begin(), known.end(), name) != known.end();
    });
    for (const auto& warning : misspelt("an array", others, {names_.attributes, names_.groups}))
      warnings_.push_back(path.string() + ": there are no attributes; the file " + warning);
  }

  const Head& head_;
  const ArrayNames& names_;
  std::vector<FileColumns> columns_;
  std::vector<at::Tensor> matrices_;
  std::map<std::string, std::string> passed_over_;
  std::vector<std::string> warnings_;
};

FoundSplits read_splits(const std::filesystem::path& folder, const Head& head,
                        const ArrayNames& names) {
  SplitReader reader(head, names);
  for (const std::filesystem::path& path : find_split_files(folder)) reader.read(path);
  auto found = reader.finish(folder);
  if (!found.splits.empty()) return found;
  std::vector<std::string> reasons;
  for (const auto& [name, reason] : found.passed_over) reasons.push_back(reason);
  throw Error(folder.string() + ": has no split; " +
              (reasons.empty() ? "expected train.safetensors, train.npz and the like with `" +
                                     names.embeddings + "` [N, M] and `" + names.labels + "` [N]"
                               : reasons.front()));
}

/// A name that someone gave must be that of some file's array.
void check_named_attributes(const std::filesystem::path& folder, const ArrayNames& names,
                            const std::map<std::string, EmbeddingSplit>& splits) {
  const ArrayNames usual;
  const auto files = find_split_files(folder);
  for (const auto& [name, usual_name] :
       {std::pair(names.attributes, usual.attributes), std::pair(names.groups, usual.groups)}) {
    if (name == usual_name || splits.empty()) continue;
    const bool is_there = std::any_of(files.begin(), files.end(), [&, &name = name](auto& file) {
      const auto held = tensor_names(file);
      return std::find(held.begin(), held.end(), name) != held.end();
    });
    if (!is_there)
      throw Error(folder.string() + ": no file has an array `" + name + "`; of " +
                  files.front().filename().string() + ": " + held_by(files.front()));
  }
}

/// A linear head that nobody has looked at, with two classes or more.
Head checked_head(const Head& head) {
  check_head(head, "the head");
  check_finite("the head", "weight", head.weight);
  if (head.bias.defined()) check_finite("the head", "bias", head.bias);
  return head.is_linear() && head.classes() == 1 ? two_classes(head) : head;
}

/// A split whose tensors nobody has looked at.
EmbeddingSplit checked_split(const std::string& name, const EmbeddingSplit& split,
                             const Head& head) {
  const ArrayNames names;
  std::map<std::string, at::Tensor> columns = {{names.labels, split.labels.cpu().contiguous()}};
  if (split.attributes.defined()) columns[names.attributes] = split.attributes.cpu().contiguous();
  auto embeddings = read_matrix(name, names.embeddings, split.embeddings.detach(), head);
  const ColumnLimits limits{names.embeddings, embeddings.size(0), head.classes()};
  auto known = checked_columns(name, columns, limits);
  return {std::move(embeddings), std::move(known.labels), std::move(known.attributes), split.ids};
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
    throw Error(path.string() + ": " + name + " is " + describe(found.sizes()) + ", expected " +
                describe(expected.sizes()));
}

Head read_layers(const std::filesystem::path& path, const Tensors& tensors, const Head& like) {
  Head head = like;
  const auto replace = [&](at::Tensor& tensor, const std::string& name) {
    auto found = head_tensor(path, tensors, name, "the head's " + describe(tensor.sizes()));
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

EmbeddingFolder EmbeddingFolder::open(const std::filesystem::path& folder,
                                      const ArrayNames& names) {
  check_folder(folder);
  const auto head_path = find_tensor_file(folder, "head");
  if (!head_path) {
    throw Error((folder / "head.safetensors").string() +
                ": does not exist; it must hold the ERM model's last linear layer, `" +
                names.weight + "` [C, M] and optionally `" + names.bias + "` [C]");
  }
  return open(folder, read_head(*head_path, names), names);
}

EmbeddingFolder EmbeddingFolder::open(const std::filesystem::path& folder, Head head,
                                      const ArrayNames& names) {
  check_folder(folder);
  EmbeddingFolder result;
  result.path_ = folder;
  result.head_ = std::move(head);
  result.names_ = Names::read(folder);
  auto found = read_splits(folder, result.head_, names);
  check_named_attributes(folder, names, found.splits);
  result.splits_ = std::move(found.splits);
  result.passed_over_ = std::move(found.passed_over);
  result.warnings_ = std::move(found.warnings);
  for (const auto& [name, reason] : result.passed_over_)
    result.warnings_.push_back(folder.string() + ": " + reason);
  result.look_at_attributes();
  return result;
}

EmbeddingFolder EmbeddingFolder::of_tensors(const std::map<std::string, EmbeddingSplit>& splits,
                                            const Head& head, Names names) {
  EmbeddingFolder result;
  result.path_ = "data in memory";
  result.head_ = checked_head(head);
  result.names_ = std::move(names);
  for (const auto& [name, split] : splits) {
    check_split_name(name);
    result.splits_.emplace(name, checked_split(name, split, result.head_));
  }
  result.look_at_attributes();
  return result;
}

void EmbeddingFolder::look_at_attributes() {
  std::vector<SplitAttributes> attributes;
  for (const auto& [name, split] : splits_) {
    attributes.emplace_back(name, split.attributes);
    if (!split.attributes.defined()) continue;
    attribute_values_ = std::max(attribute_values_, 1 + split.attributes.max().item<int64_t>());
  }
  for (auto& notice : attribute_notices(attributes)) warnings_.push_back(std::move(notice));
}

const EmbeddingSplit& EmbeddingFolder::split(const std::string& name) const {
  const auto found = splits_.find(name);
  if (found != splits_.end()) return found->second;
  if (const auto reason = passed_over_.find(name); reason != passed_over_.end())
    throw Error(path_.string() + ": " + reason->second);
  std::vector<std::string> names;
  for (const auto& [present, ignored] : splits_) names.push_back(present);
  throw Error(path_.string() + ": has no split `" + name + "`; it has " + listed(names));
}

void EmbeddingFolder::move_embeddings(at::Device device) {
  for (auto& [name, split] : splits_) split.embeddings = split.embeddings.to(device);
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
  part.embeddings = whole.embeddings.index_select(0, rows.to(whole.embeddings.device()));
  part.labels = whole.labels.index_select(0, rows);
  if (whole.attributes.defined()) part.attributes = whole.attributes.index_select(0, rows);
  if (!any_attribute_known(part.attributes)) part.attributes = at::Tensor();
  const int64_t* row = rows.const_data_ptr<int64_t>();
  for (int64_t index = 0; !whole.ids.empty() && index < rows.size(0); ++index) {
    part.ids.push_back(whole.ids[static_cast<size_t>(row[index])]);
  }
  return part;
}

Head read_head(const std::filesystem::path& path, const ArrayNames& names) {
  const Tensors tensors = read_tensors(path, {names.weight, names.bias});
  if (!tensors.contains(names.weight))
    throw Error(
        path.string() + ": has no tensor `" + names.weight +
        "`, expected a linear head's [C, M]; a head of several layers goes with its model; " +
        held_by(path));
  Head head{head_tensor(path, tensors, names.weight, "[C, M]"), {}};
  if (tensors.contains(names.bias)) head.bias = head_tensor(path, tensors, names.bias, "[C]");
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
