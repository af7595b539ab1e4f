#include "compare/text_rows.h"

#include "base/describe.h"

namespace neurontune {

std::string markdown_row(const std::vector<std::string>& cells) {
  return std::string("| ").append(joined(cells, " | ")).append(" |\n");
}

}  // namespace neurontune
