#pragma once

#include <cstddef>
#include <string>

namespace neurontune {

/// A text as one line of UTF-8, to be shown: line breaks, with the blanks around them, become a
/// space, and a byte that is not UTF-8 "\xE9". A long one ends after `most` bytes, or just before,
/// with "…".
std::string on_one_line(const std::string& text, std::size_t most = 10000);

}  // namespace neurontune
