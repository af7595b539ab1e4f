#include "pipeline/setting_values.h"

#include <cmath>
#include <limits>

#include "base/byte_escapes.h"
#include "base/describe.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

[[noreturn]] void refuse(const Json& json, const std::string& expected) {
  throw OptionError("is " + shown_json(json) + ", expected " + expected);
}

template <typename Number>
Number number(const Json& json, bool valid, const char* expected) {
  if (!valid) refuse(json, expected);
  return json.get<Number>();
}

constexpr const char* kWholeNumber = "a whole number, at most 9223372036854775807";

/// A whole number that int64 has room for.
bool is_int64(const Json& json) {
  return json.is_number_integer() &&
         (!json.is_number_unsigned() ||
          json.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

template <typename T>
std::vector<T> list(const Json& json, const char* expected) {
  if (!json.is_array()) refuse(json, expected);
  std::vector<T> values(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) from_value(json[i], values[i]);
  return values;
}

}  // namespace

Json to_value(const std::string& value) { return value; }
Json to_value(bool value) { return value; }
Json to_value(int64_t value) { return value; }
Json to_value(uint64_t value) { return value; }
Json to_value(double value) {
  // A whole number reads better without its ".0". Above, not every whole number is a double.
  constexpr double kLargestWhole = 9007199254740992;  // 2^53
  if (std::abs(value) <= kLargestWhole && std::trunc(value) == value)
    return static_cast<int64_t>(value);
  return value;
}
Json to_value(const std::optional<int64_t>& value) { return value ? Json(*value) : Json("auto"); }
Json to_value(const std::optional<double>& value) {
  return value ? to_value(*value) : Json("none");
}
Json to_value(const std::vector<int64_t>& value) { return value; }
Json to_value(const std::vector<double>& value) { return value; }

void from_value(const Json& json, std::string& value) {
  if (!json.is_string()) refuse(json, "a string");
  value = unescaped(json.get<std::string>());
}

void from_value(const Json& json, bool& value) {
  if (!json.is_boolean()) refuse(json, "true or false");
  value = json.get<bool>();
}

void from_value(const Json& json, int64_t& value) {
  value = number<int64_t>(json, is_int64(json), kWholeNumber);
}

void from_value(const Json& json, uint64_t& value) {
  value = number<uint64_t>(json, json.is_number_unsigned(), "a whole number, 0 or more");
}

void from_value(const Json& json, double& value) {
  value = number<double>(json, json.is_number(), "a number");
}

void from_value(const Json& json, std::optional<int64_t>& value) {
  if (json == "auto") {
    value.reset();
    return;
  }
  value = number<int64_t>(json, is_int64(json),
                          json.is_number_integer() ? kWholeNumber : "a whole number or \"auto\"");
}

void from_value(const Json& json, std::optional<double>& value) {
  if (json == "none") {
    value.reset();
    return;
  }
  value = number<double>(json, json.is_number(), "a number or \"none\"");
}

void from_value(const Json& json, std::vector<int64_t>& value) {
  value = list<int64_t>(json, "a list of whole numbers");
}

void from_value(const Json& json, std::vector<double>& value) {
  value = list<double>(json, "a list of numbers");
}

void refuse_name(const Json& json, const std::vector<std::string>& known) {
  refuse(json, "one of " + listed(known, known.size()));
}

// Paths on a command line are any bytes, and no escapes.
Json parse_flag(const std::string& text, const std::string&) { return escaped(text); }

Json parsed_or_discarded(const std::string& text) {
  try {
    return parse_json(text);
  } catch (const Error&) {
    return Json::value_t::discarded;
  }
}

Json parse_flag(const std::string& text, const std::optional<int64_t>&) {
  return text == "auto" ? Json(text) : parsed_or_discarded(text);
}

Json parse_flag(const std::string& text, const std::optional<double>&) {
  return text == "none" ? Json(text) : parsed_or_discarded(text);
}

}  // namespace neurontune
