#include "base/number_text.h"

#include <array>
#include <charconv>

namespace neurontune {

std::string fixed(double value, int digits) {
  std::array<char, 400> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::fixed, digits);
  std::string result(text.data(), end);
  if (result.find_first_not_of("-0.") == std::string::npos && result.starts_with('-'))
    result.erase(0, 1);
  return result;
}

std::string counted(int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace neurontune
