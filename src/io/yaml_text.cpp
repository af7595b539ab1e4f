#include "io/yaml_text.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "base/byte_escapes.h"
#include "io/json_text.h"
#include "io/text_encoding.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCoreTag = "tag:yaml.org,2002:";

std::string place(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) {
  throw Error("is not YAML of use: " + place(mark) + ": " + what);
}

bool is_one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return text == word; });
}

/// A whole number in decimal digits as JSON writes it, which has no plus and no leading zeros.
Json decimal(const std::string& text) {
  const bool negative = text[0] == '-';
  const auto first = text.find_first_not_of("+-0");
  const auto digits = first == std::string::npos ? "0" : text.substr(first);
  return Json::parse((negative ? "-" : "") + digits);
}

Json with_base(const YAML::Mark& mark, const std::string& text, int base) {
  uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  if (std::from_chars(text.data() + 2, end, value, base).ec != std::errc())
    refuse(mark, "the number " + text + " is too large");
  return value;
}

Json floating(const YAML::Mark& mark, const std::string& text) {
  double value = 0;
  const auto* const begin = text.data() + (text[0] == '+' ? 1 : 0);
  if (std::from_chars(begin, text.data() + text.size(), value).ec != std::errc())
    refuse(mark, "the number " + text + " is too large or too small");
  return value;
}

/// A plain scalar by YAML's core schema.
Json resolved(const YAML::Mark& mark, const std::string& text) {
  static const std::regex whole("[-+]?[0-9]+"), octal("0o[0-7]+"), hexadecimal("0x[0-9a-fA-F]+"),
      real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  constexpr std::size_t kLongestNumber = 400;  // longer texts are no numbers that anybody means
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (is_one_of(text, {"true", "True", "TRUE"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE"})) return false;
  if (text.size() > kLongestNumber) return text;
  if (std::regex_match(text, whole)) return decimal(text);
  if (std::regex_match(text, octal)) return with_base(mark, text, 8);
  if (std::regex_match(text, hexadecimal)) return with_base(mark, text, 16);
  if (std::regex_match(text, real)) return floating(mark, text);
  return text;
}

/// Builds JSON from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  Json take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(mark, nullptr); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias (*name) is not supported; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    if (expects_key()) return set_key(mark, text);
    const bool quoted = tag == "!" || tag == std::string(kCoreTag) + "str";
    if (!quoted && tag != "?" && !tag.empty()) refuse(mark, "the tag " + tag + " is not supported");
    add(mark, quoted ? Json(text) : resolved(mark, text));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, Json::array());
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, Json::object());
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  /// A list or mapping that is being read; a mapping with the key whose value comes next.
  struct Open {
    Json* json;
    std::optional<std::string> key;
  };

  bool expects_key() const {
    return !open_.empty() && open_.back().json->is_object() && !open_.back().key;
  }

  void set_key(const YAML::Mark& mark, const std::string& key) {
    if (open_.back().json->contains(key)) refuse(mark, "the key " + key + " is given twice");
    open_.back().key = key;
  }

  Json* add(const YAML::Mark& mark, Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (expects_key()) refuse(mark, "a key is no text");
    auto& [json, key] = open_.back();
    if (json->is_array()) {
      json->push_back(std::move(value));
      return &json->back();
    }
    auto& member = (*json)[*key] = std::move(value);
    key.reset();
    return &member;
  }

  void begin(const YAML::Mark& mark, const std::string& tag, Json empty) {
    if (tag != "?" && tag != "!" && !tag.empty() && !tag.starts_with(kCoreTag))
      refuse(mark, "the tag " + tag + " is not supported");
    if (std::ssize(open_) == kDeepest)
      refuse(mark,
             "lists and mappings lie in each other over " + std::to_string(kDeepest) + " deep");
    open_.push_back({add(mark, std::move(empty)), std::nullopt});
  }

  Json root_;
  std::vector<Open> open_;
};

/// Characters that are line breaks, or none, to other parsers though they may stand in quotes.
bool needs_escapes(const std::string& text) {
  constexpr std::array<const char*, 4> kCharacters = {"\xE2\x80\xA8", "\xE2\x80\xA9",
                                                      "\xEF\xBF\xBE", "\xEF\xBF\xBF"};
  return std::any_of(kCharacters.begin(), kCharacters.end(), [&](const char* character) {
    return text.find(character) != std::string::npos;
  });
}

/// A number that YAML 1.1 takes for one too: its floats need a point.
std::string number_text(const Json& number) {
  auto text = number.dump();
  if (const auto exponent = text.find('e');
      exponent != std::string::npos && text.find('.') == std::string::npos)
    text.insert(exponent, ".0");
  return text;
}

// NOLINTNEXTLINE(misc-no-recursion): what the program writes is a few levels deep
void emit(YAML::Emitter& out, const Json& json) {
  if (json.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, value] : json.items()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, value);
    }
    out << YAML::EndMap;
  } else if (json.is_array()) {
    out << YAML::BeginSeq;
    for (const auto& item : json) emit(out, item);
    out << YAML::EndSeq;
  } else if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (needs_escapes(text)) out << YAML::EscapeNonAscii;
    out << YAML::DoubleQuoted << text;
  } else if (json.is_number()) {
    out << number_text(json);
  } else if (json.is_boolean()) {
    out << json.get<bool>();
  } else {
    out << YAML::Null;
  }
}

}  // namespace

bool is_yaml(const std::filesystem::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

nlohmann::ordered_json parse_yaml(std::string_view text) {
  if (const auto encoding = wide_encoding(text); !encoding.empty())
    throw Error("is " + encoding + " text, expected UTF-8");
  if (as_utf8(text) != text) throw Error("is not YAML: it is not UTF-8");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder, more;
    parser.HandleNextDocument(builder);
    if (parser.HandleNextDocument(more)) throw Error("holds several YAML documents, expected one");
    return builder.take();
  } catch (const YAML::ParserException& error) {
    throw Error("is not YAML: " + place(error.mark) + ": " + error.msg);
  } catch (const YAML::Exception& error) {
    throw Error(std::string("is not YAML: ") + error.what());
  }
}

nlohmann::ordered_json parse_yaml_settings(const std::string& source, std::string_view text) {
  try {
    auto json = parse_yaml(text);
    if (!json.is_object()) throw Error("is not a YAML mapping of settings");
    return json;
  } catch (const Error& error) {
    throw OptionError(source + ": " + error.what());
  }
}

std::string yaml_text(const nlohmann::ordered_json& json) {
  YAML::Emitter out;
  emit(out, json);
  return std::string(out.c_str()) + "\n";
}

}  // namespace neurontune
