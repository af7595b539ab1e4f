#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// A line of a CSV (RFC 4180); fields with a comma, a quote or a line break are quoted, and those
/// with blanks at their ends, which readers may drop.
std::string csv_row(const std::vector<std::string>& fields);

}  // namespace neurontune
