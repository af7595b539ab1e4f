#include "table.h"

#include <algorithm>

#include "base/byte_escapes.h"
#include "text_width.h"

namespace neurontune::cli {
std::string table(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows)
    for (auto& cell : row) cell = escaped_line(cell);
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], text_width(row[i]));

  std::string text;
  const auto add_line = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - text_width(row[i]), ' ');
      text += i == 0 ? row[i] + padding : "  " + padding + row[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  add_line(rows.front());
  std::size_t whole = 0;
  for (const auto column : widths) whole += column + 2;
  for (std::size_t i = 0; i < whole - 2; ++i) text += "─";
  text += '\n';
  std::for_each(rows.begin() + 1, rows.end(), add_line);
  return text;
}

}  // namespace neurontune::cli
