#pragma once

#include <string>

#include "neurontune/repair/repair.h"

namespace neurontune {

/// Why its head was selected, in sentences: RepairResult::reason.
std::string reason(const RepairResult& result);

}  // namespace neurontune
