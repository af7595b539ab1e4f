#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace neurontune {

/// Any text as Markdown that shows it: on one line, with marks of Markdown and HTML escaped.
std::string markdown_text(const std::string& text);

/// A line of a Markdown table. Cells are Markdown.
std::string markdown_row(const std::vector<std::string>& cells);

/// What a table's figures are: "Accuracy on test, mean ± standard deviation over 3 seeds". One seed
/// has no deviation.
std::string accuracy_over_seeds(std::size_t seeds);

}  // namespace neurontune
