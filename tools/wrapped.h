#pragma once

#include <string>

namespace neurontune::cli {

/// The text with line breaks for spaces, so that no line is over `columns` bytes unless a word is.
std::string wrapped(const std::string& text, std::size_t columns = 80);

}  // namespace neurontune::cli
