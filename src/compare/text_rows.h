#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// A line of a Markdown table.
std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace neurontune
