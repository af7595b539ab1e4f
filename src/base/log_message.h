#pragma once

#include <sstream>

#include "neurontune/base/log.h"

namespace neurontune {

constexpr int kDigits = 4;  // of times and differences; whole numbers are written in full

/// Hands a message to a log, where there is one; its parts are put together only then.
template <typename... Parts>
void log_message(const LogFn& log, LogLevel level, const Parts&... parts) {
  if (!log) return;
  std::ostringstream text;
  text.precision(kDigits);
  (text << ... << parts);
  log(level, text.str());
}

template <typename... Parts>
void log_debug(const LogFn& log, const Parts&... parts) {
  log_message(log, LogLevel::debug, parts...);
}

template <typename... Parts>
void log_info(const LogFn& log, const Parts&... parts) {
  log_message(log, LogLevel::info, parts...);
}

}  // namespace neurontune
