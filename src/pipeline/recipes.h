#pragma once

#include <string>

namespace neurontune {

/// The JSON text of a recipe compiled in.
/// @throws OptionError if there is none of that name; the text lists those there are
std::string recipe_text(const std::string& name);

}  // namespace neurontune
