#include "model/model_output.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>

#include "neurontune/error.h"

namespace neurontune {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// What a tuple's places are called: by their fields if it is a named one.
std::vector<std::string> place_names(const c10::TypePtr& type, size_t count) {
  std::vector<std::string> names;
  const auto tuple = type->cast<c10::TupleType>();
  const auto schema = tuple ? tuple->schema() : nullptr;
  for (size_t i = 0; i < count; ++i)
    names.push_back(schema ? schema->arguments().at(i).name() : std::to_string(i));
  return names;
}

void add_leaves(Value* value, const OutputPath& path, std::vector<OutputLeaf>& leaves);

void add_under(const OutputPath& path, const std::string& name, Value* value,
               std::vector<OutputLeaf>& leaves) {
  auto longer = path;
  longer.push_back(name);
  add_leaves(value, longer, leaves);
}

void add_entry(Value* key, Value* value, const OutputPath& path, std::vector<OutputLeaf>& leaves) {
  const auto known = torch::jit::toIValue(key);
  if (known && known->isString()) add_under(path, known->toStringRef(), value, leaves);
}

/// A dict's entries: those it is made with, and those that are set afterwards.
void add_dict(Value* dict, const OutputPath& path, std::vector<OutputLeaf>& leaves) {
  const auto inputs = dict->node()->inputs();
  for (size_t i = 0; i + 1 < inputs.size(); i += 2)
    add_entry(inputs[i], inputs[i + 1], path, leaves);
  for (const auto& use : dict->uses())
    if (use.user->kind() == c10::aten::_set_item && use.offset == 0)
      add_entry(use.user->input(1), use.user->input(2), path, leaves);
}

void add_leaves(Value* value, const OutputPath& path, std::vector<OutputLeaf>& leaves) {
  const Node* node = value->node();
  if (node->kind() == c10::prim::DictConstruct) return add_dict(value, path, leaves);
  if (node->kind() != c10::prim::TupleConstruct && node->kind() != c10::prim::ListConstruct) {
    leaves.push_back({path, value});
    return;
  }
  const auto names = place_names(value->type(), node->inputs().size());
  for (size_t i = 0; i < names.size(); ++i) add_under(path, names[i], node->input(i), leaves);
}

c10::IValue at_name(const c10::IValue& container, const std::string& name) {
  if (container.isGenericDict()) return container.toGenericDict().at(name);
  const auto places =
      container.isTuple() ? container.toTupleRef().elements().vec() : container.toListRef().vec();
  const auto names = place_names(container.type(), places.size());
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw Error("the model returned nothing called " + name);
  return places[static_cast<size_t>(found - names.begin())];
}

}  // namespace

std::string OutputLeaf::name() const {
  std::string text;
  for (const auto& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

std::vector<OutputLeaf> output_leaves(Value* returned) {
  std::vector<OutputLeaf> leaves;
  add_leaves(returned, {}, leaves);
  return leaves;
}

c10::IValue at_path(c10::IValue returned, const OutputPath& path) {
  for (const auto& name : path) returned = at_name(returned, name);
  return returned;
}

}  // namespace neurontune
