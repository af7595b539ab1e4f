#pragma once

#include <chrono>
#include <string>

#include "log.h"
#include "neurontune/base/progress.h"

namespace neurontune::cli {

/// What is being done, its rate and the time left: a line on stderr that is drawn again and again,
/// as wide as the terminal. Where stderr is no terminal it is a message of level info, at every
/// tenth of the work or every ten seconds, and at the end of each stage.
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
  using Clock = std::chrono::steady_clock;

  struct Step {
    std::string_view stage;
    int64_t done, total;
  };

  void begin_stage(std::string_view stage, Clock::time_point now);
  void draw(const Step& step, Clock::time_point now);
  void tell(const Step& step, Clock::time_point now);

  Log& log_;
  bool drawn_here_;  ///< on a terminal
  bool told_;        ///< elsewhere
  bool drawn_ = false;
  std::string stage_;
  Clock::time_point stage_start_, last_;  ///< when the stage began, and when it was last shown
  int64_t last_done_ = 0;
};

/// "extract train  [####      ]  120/400  85/s  0:03 left" in at most so many characters: without
/// the bar, the rate and the counts, in this order, where they have no room.
std::string progress_line(std::string_view stage, int64_t done, int64_t total, double seconds,
                          std::size_t columns);

}  // namespace neurontune::cli
