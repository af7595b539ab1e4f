#include "data/text_encoding.h"

#include <nlohmann/json.hpp>

namespace neurontune {
namespace {

using namespace std::string_view_literals;

bool is_json(const std::string& text, bool ignore_comments) {
  return nlohmann::json::accept(text, ignore_comments);
}

}  // namespace

std::string wide_encoding(std::string_view start) {
  if (start.starts_with("\xFF\xFE\0\0"sv) || start.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) return "UTF-16";
  if (start.size() < 4) return "";
  const auto is_zero = [&](size_t place) { return start[place] == 0; };
  if (is_zero(1) && is_zero(2) && is_zero(3)) return "UTF-32";
  if (is_zero(0) && is_zero(1) && is_zero(2)) return "UTF-32";
  return is_zero(0) || is_zero(1) ? "UTF-16" : "";
}

std::string json_fault(const std::string& text) {
  if (const auto encoding = wide_encoding(text); !encoding.empty()) {
    return "is " + encoding + " text, expected UTF-8";
  }
  if (is_json(text, /*ignore_comments=*/false)) return "is not a JSON object";
  if (is_json(text, /*ignore_comments=*/true)) {
    return "is not a JSON object: it has a comment (// or /* */), which JSON does not allow";
  }
  try {
    const auto parsed = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    const std::string what = error.what();  // "[json.exception…] parse error at line 1, …"
    return "is not a JSON object: " + what.substr(what.find("] ") + 2);
  }
  return "is not a JSON object";
}

}  // namespace neurontune
