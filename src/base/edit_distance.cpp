#include "base/edit_distance.h"

#include <algorithm>
#include <numeric>

namespace neurontune {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);  // of the table, one at a time
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_known(const std::string& text, const std::vector<std::string>& candidates,
                          const std::string& lead) {
  const std::string* found = nullptr;
  std::size_t least = (text.size() + 2) / 3 + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(text, candidate);
    if (distance >= least) continue;
    least = distance;
    found = &candidate;
  }
  return found == nullptr ? "" : lead + *found;
}

}  // namespace neurontune
