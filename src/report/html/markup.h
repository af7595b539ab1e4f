#pragma once

#include <string>
#include <string_view>

namespace neurontune::html {

/// Text as it may stand in HTML and SVG, in attributes too: names and paths of the user's data are
/// any text.
std::string escaped(std::string_view text);

/// A change of a fraction in points: "+12.3".
std::string points(double change);

/// A number of any size as a person would write it: "0.0123", "1200".
std::string plain(double value);

/// Text of at most `most` characters: a longer one loses its middle, since paths differ at their
/// ends. Characters are UTF-8's.
std::string shortened(const std::string& text, std::size_t most);

}  // namespace neurontune::html
