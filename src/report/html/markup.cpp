#include "report/html/markup.h"

#include <array>
#include <charconv>
#include <vector>

#include "base/byte_escapes.h"
#include "base/number_text.h"

namespace neurontune::html {
namespace {

/// Where each character begins.
std::vector<std::size_t> characters(const std::string& text) {
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) begins.push_back(i);
  return begins;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : without_hidden(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string points(double change) {
  std::string text = change > 0 ? "+" : "";
  return text.append(fixed(100 * change, 1));
}

std::string plain(double value) {
  std::array<char, 64> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4);
  return {text.data(), end};
}

std::string shortened(const std::string& text, std::size_t most) {
  const auto begins = characters(text);
  if (begins.size() <= most) return text;
  const auto head = most / 3, tail = most - head - 1;
  return text.substr(0, begins[head]) + "…" + text.substr(begins[begins.size() - tail]);
}

}  // namespace neurontune::html
