#include "io/json_text.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/byte_escapes.h"
#include "io/csv.h"
#include "io/file_io.h"
#include "io/text_encoding.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

// NOLINTNEXTLINE(misc-no-recursion): JSON that was parsed is at most kDeepest deep
void escape(Json& json) {
  if (json.is_string()) {
    auto& text = json.get_ref<std::string&>();
    text = escaped(text);
  } else if (json.is_array()) {
    for (auto& item : json) escape(item);
  } else if (json.is_object()) {
    Json::object_t members;
    for (auto& [key, value] : json.get_ref<Json::object_t&>()) {
      escape(value);
      members.emplace_back(escaped(key), std::move(value));
    }
    json.get_ref<Json::object_t&>().swap(members);
  }
}

}  // namespace

std::string json_reason(const std::exception& error) {
  const std::string what = error.what();
  const auto number = what.starts_with('[') ? what.find("] ") : std::string::npos;
  const auto begin = number == std::string::npos ? 0 : number + 2;
  return what.substr(begin, what.find("; last read") - begin);
}

void check_json_depth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest)
        throw Error("is not JSON of use: lists and objects lie in each other over " +
                    std::to_string(kDeepest) + " deep");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

nlohmann::ordered_json parse_json(std::string_view text) {
  if (const auto encoding = wide_encoding(text); !encoding.empty())
    throw Error("is " + encoding + " text, expected UTF-8");
  check_json_depth(text);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    if (Json::accept(text, /*ignore_comments=*/true))
      throw Error("is not JSON: it has a comment (// or /* */), which JSON does not allow");
    throw Error("is not JSON: " + json_reason(error));
  }
}

nlohmann::ordered_json parse_json_object(std::string_view text) {
  auto json = parse_json(text);
  if (!json.is_object()) throw Error("is not a JSON object");
  return json;
}

nlohmann::ordered_json parse_json_settings(const std::string& source, std::string_view text) {
  try {
    return parse_json_object(text);
  } catch (const Error& error) {
    throw OptionError(source + ": " + error.what());
  }
}

nlohmann::ordered_json read_json_or_null(const std::filesystem::path& path) {
  try {
    return parse_json(read_file(path));
  } catch (const Error&) {
    return nullptr;
  }
}

std::string json_text(nlohmann::ordered_json json, int indent) {
  escape(json);
  return json.dump(indent);
}

std::string shown_json(const nlohmann::ordered_json& json) {
  return shown_cell(json_text(json, /*indent=*/-1));
}

}  // namespace neurontune
