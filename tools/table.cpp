#include "table.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "base/byte_escapes.h"
#include "text_width.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kNarrowest = 4;  // of a cell of words: three letters and "…"

using Widths = std::vector<std::size_t>;

/// The first characters of a text, the last of them "…" if that is not all.
std::string shortened(const std::string& text, std::size_t width) {
  if (text_width(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++characters == width) break;
  return text.substr(0, end) + "…";
}

/// What a cell cannot do without: of a figure its first number, and "…" for what follows.
std::size_t least_width(const std::string& cell) {
  const auto first = cell.find_first_of("0123456789");
  const bool is_figure = first == 0 || (first == 1 && (cell[0] == '+' || cell[0] == '-'));
  if (!is_figure) return std::min(kNarrowest, text_width(cell));
  const auto number = cell.find(' ');
  return number == std::string::npos ? text_width(cell) : number + 1;
}

Widths widths_of(const Rows& rows, std::size_t (*width_of)(const std::string&)) {
  Widths widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  return widths;
}

std::size_t total(const Widths& widths, std::size_t gap) {
  return std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * gap);
}

/// Takes from the widest columns, a character at a time, until the line fits or none can be
/// narrower.
void narrow(Widths& widths, const Widths& least, std::size_t gap, std::size_t columns) {
  while (total(widths, gap) > columns) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (widths[i] > least[i] && (widest == widths.size() || widths[i] > widths[widest]))
        widest = i;
    if (widest == widths.size()) return;
    --widths[widest];
  }
}

/// "…" for the last two columns.
void leave_out_a_column(Rows& rows) {
  for (auto& row : rows) {
    row.pop_back();
    row.back() = "…";
  }
}

struct Layout {
  Widths widths;
  std::size_t gap = 2;  ///< blanks between columns
};

/// The layout with this gap, and whether it fits.
bool lay_out(const Rows& rows, std::size_t gap, std::size_t columns, Layout& layout) {
  layout = {widths_of(rows, text_width), gap};
  narrow(layout.widths, widths_of(rows, least_width), gap, columns);
  return total(layout.widths, gap) <= columns;
}

Layout fitted(Rows& rows, const Screen& screen) {
  Layout layout{widths_of(rows, text_width)};
  if (!screen.columns) return layout;
  if (lay_out(rows, 2, *screen.columns, layout)) return layout;
  while (!lay_out(rows, 1, *screen.columns, layout) && rows.front().size() > 2)
    leave_out_a_column(rows);
  return layout;
}

}  // namespace

std::string table(Rows rows, const Screen& screen,
                  const std::set<std::pair<std::size_t, std::size_t>>& emphasised) {
  for (auto& row : rows)
    for (auto& cell : row) cell = escaped_line(cell);
  const auto [widths, gap] = fitted(rows, screen);

  std::string text;
  for (std::size_t index = 0; index < rows.size(); ++index) {
    std::size_t blanks = 0;  // not written at the end of a line
    for (std::size_t i = 0; i < rows[index].size(); ++i) {
      const auto cell = shortened(rows[index][i], widths[i]);
      const auto padding = widths[i] - text_width(cell);
      if (i > 0) blanks += gap + padding;
      if (!cell.empty()) {
        text.append(blanks, ' ')
            .append(emphasised.contains({index, i}) ? screen.emphasised(cell) : cell);
        blanks = 0;
      }
      if (i == 0) blanks += padding;
    }
    text += '\n';
    if (index > 0) continue;
    for (std::size_t i = 0; i < total(widths, gap); ++i) text += "─";
    text += '\n';
  }
  return text;
}

}  // namespace neurontune::cli
