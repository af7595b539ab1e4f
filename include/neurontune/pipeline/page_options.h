#pragma once

#include <filesystem>

namespace neurontune {

/// What a command writes for people to look at.
struct PageOptions {
  bool written = true;  ///< report.html, and what it is made from
  bool images = true;   ///< whether it holds small copies of the data's images
  /// vocab.txt, vocab.json or tokenizer.json of the data's tokens, which then show as text; empty:
  /// none
  std::filesystem::path vocabulary = {};
};

}  // namespace neurontune
