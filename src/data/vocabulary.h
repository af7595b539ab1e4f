#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace neurontune {

/// The tokens of a tokenizer by their numbers, to show text to people.
class Vocabulary {
 public:
  /// Reads what Hugging Face's tokenizers write: vocab.txt, a token a line from number 0 on;
  /// vocab.json, an object of token → number; or tokenizer.json, which holds such an object, or a
  /// list of [token, score].
  /// @throws Error naming the file if it cannot be read or is none of these
  static Vocabulary read(const std::filesystem::path& path);

  /// Tokens as text: pieces of a word are joined (WordPiece's "##", the blank that SentencePiece
  /// writes as "▁", and the bytes of GPT-2's tokenizer, whose blank is "Ġ"), marks such as [CLS]
  /// and </s> are left out, and a number that is not in the vocabulary is "[7]".
  std::string text(const std::vector<int64_t>& tokens) const;

 private:
  /// How a token says that a word begins or goes on.
  enum class Words { continued, blanks, bytes };

  std::map<int64_t, std::string> tokens_;
  Words words_ = Words::continued;
};

}  // namespace neurontune
