#pragma once

#include <cstdint>
#include <string>

namespace neurontune {

/// Checks a setting; `what` names it in messages.
/// @throws OptionError if `value` is under `least`
void check_at_least(const std::string& what, int64_t value, int64_t least);

/// @throws OptionError unless `value` is `valid` and finite; `expected` completes "…, expected "
void check_number(const std::string& what, double value, bool valid, const char* expected);

}  // namespace neurontune
