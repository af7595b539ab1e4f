#include "base/one_line.h"

#include <algorithm>

#include "base/byte_escapes.h"

namespace neurontune {

std::string on_one_line(const std::string& text, std::size_t most) {
  constexpr const char *kBreaks = "\r\n", *kBlanks = " \t\r\n";
  std::string line;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find_first_of(kBreaks, begin), text.size());
    const auto first = text.find_first_not_of(kBlanks, begin);
    if (first < end) {
      const auto last = text.find_last_not_of(kBlanks, end - 1);
      if (!line.empty()) line += ' ';
      line.append(text, first, last + 1 - first);
    }
    begin = end + 1;
  }
  line = as_utf8(line);
  if (line.size() <= most) return line;
  const auto is_inside_a_letter = [&](std::size_t place) {  // of UTF-8
    return (static_cast<unsigned char>(line[place]) & 0xC0) == 0x80;
  };
  while (most > 0 && is_inside_a_letter(most)) --most;
  return line.substr(0, most) + "…";
}

}  // namespace neurontune
