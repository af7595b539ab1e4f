#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/log_message.h"

namespace neurontune {

/// Wall time of the steps, one after the other; each is told to the log.
class StepClock {
 public:
  explicit StepClock(std::map<std::string, double>& seconds, LogFn log = {})
      : seconds_(seconds), log_(std::move(log)) {}

  /// Notes the time since the step before; returns it, in seconds.
  double finish(const std::string& step) {
    const auto now = std::chrono::steady_clock::now();
    const double taken = std::chrono::duration<double>(now - last_).count();
    seconds_[step] = taken;
    log_debug(log_, "step ", step, ": ", taken, " s");
    last_ = now;
    return taken;
  }

 private:
  std::map<std::string, double>& seconds_;
  LogFn log_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace neurontune
