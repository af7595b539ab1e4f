#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace neurontune {

/// The fewest insertions, deletions and substitutions of bytes that make one text the other
/// (Levenshtein's distance).
std::size_t edit_distance(const std::string& one, const std::string& other);

/// The candidate with the fewest insertions, deletions and substitutions from `text`; of equals the
/// first. `candidates` is not empty.
std::string nearest(const std::string& text, const std::vector<std::string>& candidates);

}  // namespace neurontune
