#pragma once

#include <chrono>
#include <map>
#include <string>

namespace neurontune {

/// Wall time of the steps, one after the other.
class StepClock {
 public:
  explicit StepClock(std::map<std::string, double>& seconds) : seconds_(seconds) {}

  /// Notes the time since the step before; returns it, in seconds.
  double finish(const std::string& step) {
    const auto now = std::chrono::steady_clock::now();
    const double taken = std::chrono::duration<double>(now - last_).count();
    seconds_[step] = taken;
    last_ = now;
    return taken;
  }

 private:
  std::map<std::string, double>& seconds_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace neurontune
