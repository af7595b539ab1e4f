#pragma once

#include <string>
#include <string_view>

namespace neurontune {

/// How a text is encoded that is of 16- or 32-bit units, by its byte-order mark or the zeros of its
/// first characters: "UTF-16", "UTF-32"; else "".
/// @param start the text, or its first four bytes
std::string wide_encoding(std::string_view start);

}  // namespace neurontune
