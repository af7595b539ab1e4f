#include "neurontune/data/names.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "data/file_io.h"
#include "data/text_encoding.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr const char* kFileName = "names.json";

std::string name_of(const std::vector<std::string>& names, int64_t index, const char* symbol) {
  if (index >= 0 && index < static_cast<int64_t>(names.size())) {
    return names[static_cast<size_t>(index)];
  }
  return std::string(symbol) + "=" + std::to_string(index);
}

std::vector<std::string> list_of_names(const std::string& where, const std::string& key,
                                       const nlohmann::json& list) {
  const auto refuse = [&] {
    return Error(where + ": `" + key + "` is " + list.dump() + ", expected a list of names");
  };
  if (!list.is_array()) throw refuse();
  std::vector<std::string> names;
  for (const nlohmann::json& name : list) {
    if (!name.is_string()) throw refuse();
    names.push_back(name.get<std::string>());
  }
  return names;
}

}  // namespace

std::string Names::label(int64_t index) const { return name_of(labels, index, "y"); }

std::string Names::attribute(int64_t index) const { return name_of(attributes, index, "a"); }

Names Names::read(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kFileName;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  const std::string where = path.string();
  Names names;
  try {
    const std::string text = read_file(path);
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
      throw Error(where + ": " + json_fault(text) +
                  R"(, expected {"labels": […], "attributes": […]})");
    }
    for (const auto& [key, list] : json.items()) {
      if (key == "labels") {
        names.labels = list_of_names(where, key, list);
      } else if (key == "attributes") {
        names.attributes = list_of_names(where, key, list);
      } else {
        throw Error(where + ": unknown key `" + key + "`, expected `labels` and `attributes`");
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(where + ": is not JSON: " + error.what());
  }
  return names;
}

void Names::write(const std::filesystem::path& folder) const {
  if (labels.empty() && attributes.empty()) return;
  nlohmann::ordered_json json;
  if (!labels.empty()) json["labels"] = labels;
  if (!attributes.empty()) json["attributes"] = attributes;
  const std::filesystem::path path = folder / kFileName;
  try {
    write_file(path, json.dump(2) + "\n");
  } catch (const nlohmann::json::exception& error) {  // text that is not UTF-8
    throw Error(path.string() + ": cannot be written: " + error.what());
  }
}

}  // namespace neurontune
