#pragma once

#include <string>
#include <vector>

namespace neurontune::cli {

/// Rows in aligned columns, the first to the left and the others to the right; the first row is the
/// heading. Ends with a newline. Names of any bytes may be in it: each cell stays on its line.
std::string table(std::vector<std::vector<std::string>> rows);

}  // namespace neurontune::cli
