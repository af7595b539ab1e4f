#pragma once

#include <string>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// Something that is required of a result, and what of it is not so.
struct Check {
  std::string name;                   ///< what is required
  std::vector<std::string> findings;  ///< a sentence each; none where it holds
};

/// Those of all checks, in order.
NEURONTUNE_EXPORT std::vector<std::string> all_findings(const std::vector<Check>& checks);

}  // namespace neurontune
