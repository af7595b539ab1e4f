#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

namespace neurontune::cli {

/// Characters, not bytes, of UTF-8 text.
inline std::size_t text_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace neurontune::cli
