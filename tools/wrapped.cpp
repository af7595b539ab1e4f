#include "wrapped.h"

#include <sstream>

namespace neurontune::cli {

std::string wrapped(const std::string& text) {
  constexpr std::size_t kColumns = 80;
  std::istringstream words(text);
  std::string lines, line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > kColumns) {
      lines.append(line).append("\n");
      line.clear();
    }
    if (!line.empty()) line.append(" ");
    line.append(word);
  }
  return lines.append(line);
}

}  // namespace neurontune::cli
