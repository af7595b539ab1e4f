#pragma once

#include <cstddef>
#include <string>

namespace neurontune::cli {

/// The text with line breaks for spaces, so that no line is wider unless a word is.
///
/// @param columns of a line, of UTF-8 text
/// @param indent  blanks before each line but the first, which is to stand behind as many
std::string wrapped(const std::string& text, std::size_t columns = 80, std::size_t indent = 0);

}  // namespace neurontune::cli
