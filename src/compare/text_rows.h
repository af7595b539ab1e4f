#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// "a, b": the texts with a separator between them.
std::string joined(const std::vector<std::string>& texts, const std::string& separator);

/// A line of a CSV; fields with a comma, a quote or a line break are quoted.
std::string csv_row(const std::vector<std::string>& fields);

/// A line of a Markdown table.
std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace neurontune
