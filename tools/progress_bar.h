#pragma once

#include <chrono>
#include <string>

#include "log.h"
#include "neurontune/base/progress.h"

namespace neurontune::cli {

/// A line on stderr with what is being done, its rate and the time left; only on a terminal.
class ProgressBar {
 public:
  /// The log's lines wipe the bar first; it comes back with the next step. The log gets each step
  /// at level trace.
  explicit ProgressBar(Log& log);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  /// A callback that draws; empty where nothing is to be drawn. This object must outlive it.
  ProgressFn callback();

  /// Wipes the line.
  void clear();

 private:
  void draw(std::string_view stage, int64_t done, int64_t total);

  Log& log_;
  bool shown_;
  bool drawn_ = false;
  std::string stage_;
  std::chrono::steady_clock::time_point stage_start_, last_draw_;
};

}  // namespace neurontune::cli
