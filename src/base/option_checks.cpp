#include "base/option_checks.h"

#include <cmath>

#include "base/describe.h"
#include "neurontune/base/error.h"

namespace neurontune {

void check_at_least(const std::string& what, int64_t value, int64_t least) {
  if (value < least)
    throw OptionError(what + " is " + std::to_string(value) + ", expected at least " +
                      std::to_string(least));
}

void check_between(const std::string& what, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most)
    throw OptionError(what + " is " + std::to_string(value) + ", expected " +
                      std::to_string(least) + " to " + std::to_string(most));
}

void check_number(const std::string& what, double value, bool valid, const char* expected) {
  if (!valid || !std::isfinite(value))
    throw OptionError(what + " is " + describe(value) + ", expected " + expected);
}

void check_each(const std::string& what, const std::vector<double>& values, bool (*valid)(double),
                const char* expected) {
  if (values.empty()) throw OptionError(what + " is empty, expected at least one value");
  for (const double value : values)
    check_number("a value of " + what, value, valid(value), expected);
}

}  // namespace neurontune
