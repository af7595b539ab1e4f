#include "model/model_output.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/describe.h"
#include "neurontune/base/error.h"

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

/// The steps that set an entry of a container, in order; nothing if others may change it too.
std::optional<std::vector<Node*>> settings_of(Value* container) {
  std::vector<Node*> settings;
  for (const auto& use : container->uses()) {
    const auto kind = use.user->kind();
    const bool sets = kind == c10::aten::_set_item && use.offset == 0 &&
                      use.user->owningBlock() == container->node()->owningBlock();
    const bool reads = kind == c10::prim::Return || kind == c10::aten::__getitem__ ||
                       kind == c10::prim::TupleConstruct || kind == c10::prim::DictConstruct ||
                       kind == c10::prim::ListConstruct || kind == c10::aten::len;
    if (sets) settings.push_back(use.user);
    if (!sets && !reads) return std::nullopt;
  }
  std::sort(settings.begin(), settings.end(),
            [](const Node* a, const Node* b) { return a->isBefore(b); });
  return settings;
}

/// A dict's entries: those it is made with, and those that are set afterwards; the last one counts.
void add_dict(Value* dict, const OutputPath& path, std::vector<OutputLeaf>& leaves) {
  const auto settings = settings_of(dict);
  std::vector<std::pair<std::string, Value*>> entries;
  bool known = settings.has_value();
  const auto put = [&](const Value* key, Value* value) {
    const auto name = torch::jit::toIValue(key);
    if (!name || !name->isString()) {
      known = false;
      return;
    }
    const auto same = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.first == name->toStringRef();
    });
    if (same != entries.end())
      same->second = value;
    else
      entries.emplace_back(name->toStringRef(), value);
  };
  const auto inputs = dict->node()->inputs();
  for (size_t i = 0; i + 1 < inputs.size(); i += 2) put(inputs[i], inputs[i + 1]);
  if (settings)
    for (Node* setting : *settings) put(setting->input(1), setting->input(2));
  if (!known) return leaves.push_back({path, dict});
  for (const auto& [name, value] : entries) add_under(path, name, value, leaves);
}

/// A tuple, or a list that nothing changes.
bool is_sequence(Value* value) {
  if (value->node()->kind() == c10::prim::TupleConstruct) return true;
  if (value->node()->kind() != c10::prim::ListConstruct) return false;
  const auto settings = settings_of(value);
  return settings && settings->empty();
}

void add_leaves(Value* value, const OutputPath& path, std::vector<OutputLeaf>& leaves) {
  const Node* node = value->node();
  if (node->kind() == c10::prim::DictConstruct) return add_dict(value, path, leaves);
  if (!is_sequence(value)) {
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

std::string OutputLeaf::name() const { return joined(path, "."); }

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
