#pragma once

#include <string>
#include <vector>

namespace neurontune {

/// The candidate with the fewest insertions, deletions and substitutions from `text`; of equals the
/// first. `candidates` is not empty.
std::string nearest(const std::string& text, const std::vector<std::string>& candidates);

}  // namespace neurontune
