#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace neurontune {

/// Called from the thread that runs the work, after each finished unit of it. An exception that it
/// throws ends the work and reaches the caller. (`compare` reports an `Error` as a failed method:
/// throw another type to end it.)
///
/// @param stage  what is being done: "extract train", "tune"
/// @param done   units finished, from 0 to `total`
/// @param total  units in all, at least 1
using ProgressFn = std::function<void(std::string_view stage, int64_t done, int64_t total)>;

}  // namespace neurontune
