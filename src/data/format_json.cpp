#include "data/format_json.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/edit_distance.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// Takes a value that stands under `key` of `source`; throws OptionError where it is of another
/// kind.
using Reader = std::function<void(const std::string& source, const std::string& key, const Json&)>;

[[noreturn]] void refuse(const std::string& source, const std::string& key, const Json& value,
                         const std::string& expected) {
  throw OptionError(source + ": " + key + " is " + shown_json(value) + ", expected " + expected);
}

void read_object(const std::string& source, const std::string& prefix, const Json& json,
                 const std::vector<std::pair<std::string, Reader>>& readers) {
  std::vector<std::string> known;
  for (const auto& [key, reader] : readers) known.push_back(prefix + key);
  for (const auto& [name, value] : json.items()) {
    const std::string key = prefix + name;
    bool read = false;
    for (size_t index = 0; index < readers.size() && !read; ++index) {
      if (known[index] != key) continue;
      readers[index].second(source, key, value);
      read = true;
    }
    if (!read) {
      throw OptionError(source + ": unknown key " + key + nearest_known(key, known));
    }
  }
}

Reader object(std::vector<std::pair<std::string, Reader>> readers) {
  return [readers = std::move(readers)](const auto& source, const auto& key, const Json& value) {
    if (!value.is_object()) refuse(source, key, value, "an object");
    read_object(source, key + ".", value, readers);
  };
}

Reader into(std::string& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (!value.is_string()) refuse(source, key, value, "a string");
    field = value.get<std::string>();
  };
}

Reader into(bool& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (!value.is_boolean()) refuse(source, key, value, "true or false");
    field = value.get<bool>();
  };
}

Reader into(std::optional<double>& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (!value.is_number()) refuse(source, key, value, "a number");
    field = value.get<double>();
  };
}

Reader into(std::vector<std::string>& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    bool valid = value.is_array();
    field.clear();
    for (const Json& item : value) {
      valid = valid && item.is_string();
      if (valid) field.push_back(item.get<std::string>());
    }
    if (!valid) refuse(source, key, value, "a list of strings");
  };
}

Reader one_or_several(std::vector<std::string>& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (value.is_string()) {
      field = {value.get<std::string>()};
    } else {
      into(field)(source, key, value);
    }
  };
}

Reader into(std::map<std::string, int64_t>& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (!value.is_object()) refuse(source, key, value, "an object of cells and their indices");
    for (const auto& [cell, index] : value.items()) {
      if (!index.is_number_integer() || index.template get<int64_t>() < 0) {
        refuse(source, key + "." + cell, index, "a whole number, 0 or more");
      }
      field[cell] = index.template get<int64_t>();
    }
  };
}

Reader into(std::map<std::string, std::string>& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (!value.is_object()) refuse(source, key, value, "an object of cells and their splits");
    for (const auto& [cell, split] : value.items()) {
      if (!split.is_string()) refuse(source, key + "." + cell, split, "a split's name");
      field[cell] = split.template get<std::string>();
    }
  };
}

Reader index_column(IndexColumn& column) {
  return object({{"columns", into(column.columns)},
                 {"any", into(column.any)},
                 {"at_least", into(column.at_least)},
                 {"values", into(column.values)},
                 {"skip_others", into(column.skip_others)},
                 {"group_columns", into(column.group_columns)},
                 {"names", into(column.names)}});
}

/// The transform's keys are checked where settings are.
Reader json_text(std::string& field) {
  return [&field](const auto& source, const auto& key, const Json& value) {
    if (!value.is_object()) refuse(source, key, value, "an object as in transform.json");
    field = value.dump();
  };
}

/// Whether the levels are {split}, then {label} once and {attribute} at most once.
bool are_levels(const std::string& folders) {
  return folders == "{split}/{label}" || folders == "{split}/{label}/{attribute}" ||
         folders == "{split}/{attribute}/{label}";
}

/// What no reader of a single key can see.
void validate(const std::string& source, const ManifestFormat& format) {
  const auto need = [&](bool holds, const std::string& text) {
    if (!holds) throw OptionError(source + ": " + text);
  };
  if (!format.folders.empty()) {
    need(format.files.empty() && format.tensors.empty() && format.join.files.empty(),
         "folders stands beside files, tensors or join; expected one or the other");
    need(are_levels(format.folders),
         "folders is \"" + format.folders +
             "\", expected {split}/{label}, {split}/{label}/{attribute} or "
             "{split}/{attribute}/{label}");
    return;
  }
  need(!format.label.columns.empty(), "label.columns is missing");
  need(!format.split.columns.empty(), "split.columns is missing");
  need(format.sample.columns.empty() != format.tensors.empty(),
       "expected either sample.columns, of images, or tensors");
  need(format.join.files.empty() == format.join.key.empty(), "join needs both file and key");
  need(!format.sample.prefixes.empty(), "sample.prefixes is empty");
}

}  // namespace

ManifestFormat parse_format(const std::string& source, const std::string& text) {
  const Json json = parse_json_settings(source, text);
  ManifestFormat format;
  format.name = source;
  read_object(source, "", json,
              {{"files", into(format.files)},
               {"marks", into(format.marks)},
               {"folders", into(format.folders)},
               {"sample", object({{"columns", into(format.sample.columns)},
                                  {"prefixes", into(format.sample.prefixes)},
                                  {"suffix", into(format.sample.suffix)}})},
               {"label", index_column(format.label)},
               {"attribute", index_column(format.attribute)},
               {"split", object({{"columns", into(format.split.columns)},
                                 {"values", into(format.split.values)}})},
               {"join", object({{"file", one_or_several(format.join.files)},
                                {"key", into(format.join.key)},
                                {"columns", into(format.join.columns)}})},
               {"text_tables", into(format.text_tables)},
               {"tensors", into(format.tensors)},
               {"transform", json_text(format.transform)}});
  validate(source, format);
  return format;
}

}  // namespace neurontune
