#pragma once

#include <string>

namespace neurontune::cli {

/// The text with line breaks for spaces, so that no line is over 80 bytes unless a word is.
std::string wrapped(const std::string& text);

}  // namespace neurontune::cli
