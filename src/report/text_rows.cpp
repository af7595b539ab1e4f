#include "report/text_rows.h"

#include <string_view>

#include "base/byte_escapes.h"
#include "base/describe.h"

namespace neurontune {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string field(1, '"');
  for (const char c : text) field.append(c == '"' ? 2 : 1, c);
  field.push_back('"');
  return field;
}

}  // namespace

std::string csv_row(const std::vector<std::string>& fields) {
  std::vector<std::string> written;
  for (const auto& field : fields) written.push_back(quoted(field));
  return joined(written, ",").append("\n");
}

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

}  // namespace neurontune
