#pragma once

#include <string>
#include <string_view>

namespace neurontune {

// Names of files and cells of manifests are any bytes, JSON is UTF-8 and a list of names has a line
// for each. What does not fit is written as \x and two capital hexadecimal digits, "caf\xE9.jpg",
// and so is a backslash that would be read as the start of such an escape. Every other text stays
// as it is, and every text is read back as it was.

/// The text as UTF-8: bytes that are none are escaped.
std::string escaped(std::string_view bytes);

/// The same on one line: control characters are escaped too.
std::string escaped_line(std::string_view bytes);

/// A message, in which names may be escaped already: only bytes that are not UTF-8 are. It is not
/// to be read back.
std::string as_utf8(std::string_view bytes);

/// What was escaped, by either of the first two.
std::string unescaped(std::string_view text);

/// Text for a page: with "\uFFFD" for each character that is obeyed instead of shown, such as a
/// control or one that turns the direction of writing. Line breaks and tabs stay.
std::string without_hidden(std::string_view text);

}  // namespace neurontune
