#include "neurontune/data/names.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/byte_escapes.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

std::string name_of(const std::vector<std::string>& names, int64_t index, const char* symbol) {
  if (index >= 0 && index < static_cast<int64_t>(names.size())) {
    return names[static_cast<size_t>(index)];
  }
  return std::string(symbol) + "=" + std::to_string(index);
}

nlohmann::ordered_json read_json(const std::filesystem::path& path) {
  const auto text = read_file(path);
  try {
    return parse_json_object(text);
  } catch (const Error& error) {
    throw Error(path.string() + ": " + error.what() +
                R"(, expected {"labels": […], "attributes": […]})");
  }
}

std::vector<std::string> list_of_names(const std::string& where, const std::string& key,
                                       const nlohmann::ordered_json& list) {
  const auto refuse = [&] {
    return Error(where + ": `" + key + "` is " + shown_json(list) + ", expected a list of names");
  };
  if (!list.is_array()) throw refuse();
  std::vector<std::string> names;
  for (const auto& name : list) {
    if (!name.is_string()) throw refuse();
    names.push_back(unescaped(name.get<std::string>()));
  }
  return names;
}

}  // namespace

std::string Names::label(int64_t index) const { return name_of(labels, index, "y"); }

std::string Names::attribute(int64_t index) const { return name_of(attributes, index, "a"); }

Names Names::read(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kFile;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  const std::string where = path.string();
  const auto json = read_json(path);
  Names names;
  for (const auto& [key, list] : json.items()) {
    if (key == "labels") {
      names.labels = list_of_names(where, key, list);
    } else if (key == "attributes") {
      names.attributes = list_of_names(where, key, list);
    } else {
      throw Error(where + ": unknown key `" + key + "`, expected `labels` and `attributes`");
    }
  }
  return names;
}

void Names::write(const std::filesystem::path& folder) const {
  if (empty()) return;
  nlohmann::ordered_json json;
  if (!labels.empty()) json["labels"] = labels;
  if (!attributes.empty()) json["attributes"] = attributes;
  write_file(folder / kFile, json_text(json) + "\n");
}

}  // namespace neurontune
