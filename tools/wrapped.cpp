#include "wrapped.h"

#include <sstream>

namespace neurontune::cli {

std::string wrapped(const std::string& text, std::size_t columns) {
  std::istringstream words(text);
  std::string lines, line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > columns) {
      lines.append(line).append("\n");
      line.clear();
    }
    if (!line.empty()) line.append(" ");
    line.append(word);
  }
  return lines.append(line);
}

}  // namespace neurontune::cli
