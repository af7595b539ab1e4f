#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// A line of a CSV; fields with a comma, a quote or a line break are quoted.
std::string csv_row(const std::vector<std::string>& fields);

/// A line of a Markdown table.
std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace neurontune
