#include "report/text_rows.h"

#include <string_view>

#include "base/byte_escapes.h"
#include "base/describe.h"

namespace neurontune {

std::string markdown_text(const std::string& text) {
  std::string escaped_marks;
  for (const char c : escaped_line(text)) {
    if (std::string_view("\\`*_[]<>|#~&$").find(c) != std::string_view::npos) escaped_marks += '\\';
    escaped_marks += c;
  }
  return escaped_marks;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  return std::string("| ").append(joined(cells, " | ")).append(" |\n");
}

std::string accuracy_over_seeds(std::size_t seeds) {
  if (seeds < 2) return "Accuracy on test, of one seed";
  return "Accuracy on test, mean ± standard deviation over " + std::to_string(seeds) + " seeds";
}

}  // namespace neurontune
