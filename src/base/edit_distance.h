#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace neurontune {

/// The fewest insertions, deletions and substitutions of bytes, and swaps of two neighbours, that
/// make one text the other (optimal string alignment distance: no part is changed twice).
std::size_t edit_distance(const std::string& one, const std::string& other);

/// The end of a message about an unknown word: "; the nearest known one is seed", with the
/// candidate of the smallest edit distance, of equals the first. Empty where even that one differs
/// in more than a third of the text's length: it is another word, and no slip.
std::string nearest_known(const std::string& text, const std::vector<std::string>& candidates,
                          const std::string& lead = "; the nearest known one is ");

}  // namespace neurontune
