#include "io/csv_row.h"

#include "base/describe.h"

namespace neurontune {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string quoted(const std::string& text) {
  const bool blank_end = !text.empty() && (is_blank(text.front()) || is_blank(text.back()));
  if (!blank_end && text.find_first_of(",\"\n\r") == std::string::npos) return text;
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

}  // namespace neurontune
