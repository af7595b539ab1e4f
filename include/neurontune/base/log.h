#pragma once

#include <functional>
#include <string_view>

#include "neurontune/export.h"

namespace neurontune {

/// How much a message matters, from the least on.
enum class LogLevel {
  trace,  ///< every step of a loop
  debug,  ///< what explains a result: files, caches, times, settings
  info,   ///< what was done
  warn,   ///< what a user should know
  error,  ///< what ended the work
  off,    ///< of no message: nothing is logged
};

NEURONTUNE_EXPORT const char* name(LogLevel level);

/// Receives the library's messages; the library itself never prints. Called from the thread that
/// runs the work.
///
/// @param message one or more sentences; file names in it may be any bytes
using LogFn = std::function<void(LogLevel level, std::string_view message)>;

}  // namespace neurontune
