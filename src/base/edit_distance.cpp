#include "base/edit_distance.h"

#include <algorithm>
#include <numeric>

namespace neurontune {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  // Rows of the table: of the last two bytes of `a`, and of the one at hand.
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({last[j] + (a[i] != b[j]), row[j] + 1, last[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
        row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
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
