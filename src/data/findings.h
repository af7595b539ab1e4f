#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/base/error.h"

namespace neurontune {

/// What is wrong with a manifest, gathered so that a person can mend all of it at once.
class Findings {
 public:
  /// @param line in the manifest, from 1; 0 for what stands on no line, as class folders
  /// @param text what follows the line: ": y is …" or " has fewer columns …"
  void add(int64_t line, const std::string& text) {
    findings_.emplace_back(line, line == 0 ? text : "line " + std::to_string(line) + text);
  }

  /// @throws DataError with all findings, by line, if there is one
  void throw_if_any(const std::string& source) {
    if (findings_.empty()) return;
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
    std::vector<std::string> texts;
    for (auto& [line, text] : findings_) texts.push_back(std::move(text));
    throw DataError(source, std::move(texts));
  }

 private:
  std::vector<std::pair<int64_t, std::string>> findings_;
};

}  // namespace neurontune
