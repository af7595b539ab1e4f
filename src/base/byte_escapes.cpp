#include "base/byte_escapes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace neurontune {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::size_t kEscapeLength = 4;  // of \xE9

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

/// Whether the text starts with a character that a terminal or a browser obeys instead of showing
/// it: one of the second set of controls (C1), or one that turns the direction of writing.
bool is_hidden(std::string_view text) {
  if (text.size() >= 2 && text[0] == '\xC2') return static_cast<unsigned char>(text[1]) < 0xA0;
  if (text.size() < 3 || text[0] != '\xE2') return false;
  const auto last = static_cast<unsigned char>(text[2]);
  return (text[1] == '\x80' && last >= 0xAA && last <= 0xAE) ||
         (text[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

/// The byte of the escape that the text starts with, if it does. Only what is ever escaped is read
/// as an escape: `dir\x41.jpg` is a name.
std::optional<unsigned char> escape_at(std::string_view text) {
  if (text.size() < kEscapeLength || text[0] != '\\' || text[1] != 'x') return std::nullopt;
  const auto high = kDigits.find(text[2]), low = kDigits.find(text[3]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  const auto byte = static_cast<unsigned char>(16 * high + low);
  if (byte < 0x80 && !is_control(byte) && byte != '\\') return std::nullopt;
  return byte;
}

/// How many bytes the character that the text starts with takes in UTF-8; 0 where it is none.
std::size_t character_length(std::string_view text) {
  struct Form {
    unsigned char mask, start;
    uint32_t least;  // of the characters that need this length
  };
  constexpr std::array<Form, 4> kForms = {
      {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}}};
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t length = 1; length <= kForms.size(); ++length) {
    const auto& [mask, start, least] = kForms[length - 1];
    if ((byte_at(0) & mask) != start) continue;
    if (text.size() < length) return 0;
    uint32_t character = byte_at(0) & static_cast<unsigned char>(~mask);
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte_at(i) & 0xC0) != 0x80) return 0;
      character = character << 6 | (byte_at(i) & 0x3FU);
    }
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    return character >= least && character <= 0x10FFFF && !surrogate ? length : 0;
  }
  return 0;
}

/// Writes as escapes the bytes that are not UTF-8, and those that `must(rest)` says, of the rest of
/// the text from a character on.
template <class Must>
std::string escape_where(std::string_view bytes, const Must& must) {
  std::string text;
  while (!bytes.empty()) {
    std::size_t length = character_length(bytes);
    if (length == 0 || must(bytes)) {
      const auto byte = static_cast<unsigned char>(bytes[0]);
      text.append("\\x").append({kDigits[byte / 16], kDigits[byte % 16]});
      length = 1;
    } else {
      text.append(bytes.substr(0, length));
    }
    bytes.remove_prefix(length);
  }
  return text;
}

}  // namespace

std::string escaped(std::string_view bytes) {
  return escape_where(bytes, [](std::string_view rest) { return escape_at(rest).has_value(); });
}

std::string escaped_line(std::string_view bytes) {
  return escape_where(bytes, [](std::string_view rest) {
    return escape_at(rest).has_value() || is_control(static_cast<unsigned char>(rest[0])) ||
           is_hidden(rest);
  });
}

std::string as_utf8(std::string_view bytes) {
  return escape_where(bytes, [](std::string_view) { return false; });
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const auto byte = escape_at(text);
    bytes.push_back(byte ? static_cast<char>(*byte) : text[0]);
    text.remove_prefix(byte ? kEscapeLength : 1);
  }
  return bytes;
}

std::string without_hidden(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto length = std::max<std::size_t>(1, character_length(text));
    const bool obeyed = is_hidden(text) || (is_control(static_cast<unsigned char>(text[0])) &&
                                            text[0] != '\n' && text[0] != '\t');
    shown.append(obeyed ? "\uFFFD" : text.substr(0, length));
    text.remove_prefix(length);
  }
  return shown;
}

}  // namespace neurontune
