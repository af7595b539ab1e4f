#pragma once

#include <string>

#include "neurontune/data/manifest_format.h"

namespace neurontune {

/// Reads a format's JSON.
/// @param source what messages call it
/// @throws OptionError for an unknown key (naming the nearest known one) or a value that is not
///         what its key holds
ManifestFormat parse_format(const std::string& source, const std::string& text);

}  // namespace neurontune
