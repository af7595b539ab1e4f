#pragma once

#include <algorithm>
#include <cctype>
#include <string>

namespace neurontune {

/// A text with its ASCII letters in lower case.
inline std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace neurontune
