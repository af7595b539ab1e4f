#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "screen.h"

namespace neurontune::cli {

using Rows = std::vector<std::vector<std::string>>;

/// Rows in aligned columns, the first to the left and the others to the right; the first row is the
/// heading. Ends with a newline. Names of any bytes may be in it: each cell stays on its line.
///
/// On a terminal no line is wrapped: cells of the widest columns end with "…", figures after their
/// first number, and where even that is too wide the last columns are left out, with "…" for them.
///
/// @param emphasised cells as (row, column)
std::string table(Rows rows, const Screen& screen,
                  const std::set<std::pair<std::size_t, std::size_t>>& emphasised = {});

}  // namespace neurontune::cli
