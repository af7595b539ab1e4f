#include "data/vocabulary.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string_view>

#include "io/file_io.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;
using Tokens = std::map<int64_t, std::string>;

constexpr std::string_view kPieceBlank = "\u2581";  // ▁
constexpr std::string_view kByteBlank = "\u0120";   // Ġ

Tokens of_lines(const std::string& text) {
  Tokens tokens;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    tokens.emplace(static_cast<int64_t>(tokens.size()), line);
  }
  return tokens;
}

/// Of {token: number}, or of [[token, score], …].
std::optional<Tokens> of_json(const Json& json) {
  Tokens tokens;
  for (const auto& [key, value] : json.items()) {
    if (json.is_object() && value.is_number_integer())
      tokens.emplace(value.get<int64_t>(), key);
    else if (json.is_array() && value.is_array() && !value.empty() && value.front().is_string())
      tokens.emplace(static_cast<int64_t>(tokens.size()), value.front().get<std::string>());
    else
      return std::nullopt;
  }
  return tokens;
}

/// The vocabulary of vocab.json or tokenizer.json.
std::optional<Tokens> of_json_file(const std::string& text) {
  const auto json = parse_json_object(text);
  const auto model = json.find("model");
  if (model == json.end() || !model->is_object()) return of_json(json);
  const auto vocabulary = model->find("vocab");
  if (vocabulary == model->end()) return std::nullopt;
  auto tokens = of_json(*vocabulary);
  if (!tokens || !json.contains("added_tokens")) return tokens;
  for (const auto& added : json.at("added_tokens"))
    if (added.is_object() && added.contains("id") && added.contains("content"))
      tokens->insert_or_assign(added.at("id").get<int64_t>(),
                               added.at("content").get<std::string>());
  return tokens;
}

/// Marks of a tokenizer that are no text.
bool is_mark(const std::string& token) {
  static constexpr std::array<std::string_view, 9> kMarks = {
      "[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<pad>", "<|endoftext|>", "<cls>", "<sep>"};
  return std::find(kMarks.begin(), kMarks.end(), token) != kMarks.end();
}

/// The character that GPT-2's tokenizer writes for a byte: itself where that is visible, else those
/// from U+0100 on, in order. Both are below U+0800: two bytes of UTF-8 at most.
std::map<std::string, char> characters_of_bytes() {
  std::map<std::string, char> characters;
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool visible =
        (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    const int code = visible ? byte : next++;
    std::string character;
    if (code < 0x80) {
      character = static_cast<char>(code);
    } else {
      character = static_cast<char>(0xc0 | (code >> 6));
      character += static_cast<char>(0x80 | (code & 0x3f));
    }
    characters.emplace(character, static_cast<char>(byte));
  }
  return characters;
}

/// The bytes that a token of GPT-2's tokenizer stands for.
std::string characters_to_bytes(const std::string& token) {
  static const auto kCharacters = characters_of_bytes();
  std::string bytes;
  for (std::size_t i = 0; i < token.size();) {
    const std::size_t length = (static_cast<unsigned char>(token[i]) & 0x80) != 0 ? 2 : 1;
    const auto character = token.substr(i, length);
    const auto found = kCharacters.find(character);
    if (found != kCharacters.end())
      bytes += found->second;
    else
      bytes += character;
    i += length;
  }
  return bytes;
}

bool any_begins(const Tokens& tokens, std::string_view mark) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [mark](const auto& token) { return token.second.starts_with(mark); });
}

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size()))
    text.replace(at, part.size(), by);
  return text;
}

}  // namespace

Vocabulary Vocabulary::read(const std::filesystem::path& path) {
  const auto content = read_file(path);
  const auto start = content.find_first_not_of(" \t\r\n");
  Vocabulary vocabulary;
  try {
    const bool is_json = path.extension() == ".json" && start != std::string::npos;
    auto tokens = is_json ? of_json_file(content) : of_lines(content);
    if (!tokens || tokens->empty())
      throw Error("is no vocabulary; expected vocab.txt, vocab.json or tokenizer.json");
    vocabulary.tokens_ = std::move(*tokens);
  } catch (const Error& error) {
    throw Error(path.string() + " " + error.what());
  }
  if (any_begins(vocabulary.tokens_, kByteBlank))
    vocabulary.words_ = Words::bytes;
  else if (any_begins(vocabulary.tokens_, kPieceBlank))
    vocabulary.words_ = Words::blanks;
  return vocabulary;
}

std::string Vocabulary::text(const std::vector<int64_t>& tokens) const {
  std::string text;
  for (const auto number : tokens) {
    const auto found = tokens_.find(number);
    const auto token = found == tokens_.end() ? "[" + std::to_string(number) + "]" : found->second;
    if (is_mark(token)) continue;
    if (words_ == Words::bytes)
      text += characters_to_bytes(token);
    else if (words_ == Words::blanks)
      text += replaced(token, kPieceBlank, " ");
    else if (token.starts_with("##"))
      text += token.substr(2);
    else
      text += (text.empty() ? "" : " ") + token;
  }
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first);
}

}  // namespace neurontune
