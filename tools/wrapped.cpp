#include "wrapped.h"

#include <sstream>

#include "text_width.h"

namespace neurontune::cli {

std::string wrapped(const std::string& text, std::size_t columns, std::size_t indent) {
  const std::string blanks(indent, ' ');
  std::istringstream words(text);
  std::string lines, line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indent + text_width(line) + 1 + text_width(word) > columns) {
      lines.append(line).append("\n").append(blanks);
      line.clear();
    }
    if (!line.empty()) line.append(" ");
    line.append(word);
  }
  return lines.append(line);
}

}  // namespace neurontune::cli
