#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace neurontune {

/// Checks a setting; `what` names it in messages.
/// @throws OptionError if `value` is under `least`
void check_at_least(const std::string& what, int64_t value, int64_t least);

/// @throws OptionError if `value` is not from `least` to `most`
void check_between(const std::string& what, int64_t value, int64_t least, int64_t most);

/// @throws OptionError unless `value` is `valid` and finite; `expected` completes "…, expected "
void check_number(const std::string& what, double value, bool valid, const char* expected);

/// Checks a setting that is a list: at least one value, each `valid` and finite.
/// @throws OptionError that names `what`; `expected` completes "…, expected "
void check_each(const std::string& what, const std::vector<double>& values, bool (*valid)(double),
                const char* expected);

}  // namespace neurontune
