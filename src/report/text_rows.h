#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// Any text as Markdown that shows it: on one line, with marks of Markdown and HTML escaped.
std::string markdown_text(const std::string& text);

/// A line of a Markdown table. Cells are Markdown.
std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace neurontune
