#pragma once

#include <cstdint>
#include <string>

namespace neurontune {

/// A number with so many digits behind the point, whatever the locale; "-0.0" is "0.0".
std::string fixed(double value, int digits);

/// "1 sample", "12 samples"
std::string counted(int64_t count, const std::string& what);

}  // namespace neurontune
