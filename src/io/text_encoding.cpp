#include "io/text_encoding.h"

namespace neurontune {

using namespace std::string_view_literals;

std::string wide_encoding(std::string_view start) {
  if (start.starts_with("\xFF\xFE\0\0"sv) || start.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) return "UTF-16";
  if (start.size() < 4) return "";
  const auto is_zero = [&](size_t place) { return start[place] == 0; };
  if (is_zero(1) && is_zero(2) && is_zero(3)) return "UTF-32";
  if (is_zero(0) && is_zero(1) && is_zero(2)) return "UTF-32";
  return is_zero(0) || is_zero(1) ? "UTF-16" : "";
}

}  // namespace neurontune
