#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// A line of a CSV; fields with a comma, a quote or a line break are quoted.
std::string csv_row(const std::vector<std::string>& fields);

/// Any text as Markdown that shows it: on one line, with marks of Markdown and HTML escaped.
std::string markdown_text(const std::string& text);

/// A line of a Markdown table. Cells are Markdown.
std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace neurontune
