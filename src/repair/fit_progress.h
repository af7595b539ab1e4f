#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "neurontune/base/progress.h"

namespace neurontune {

/// Counts the fits of several threads. Progress is told by the thread that it belongs to, which may
/// end the work by an exception: then the other threads begin no further fit.
class FitProgress {
 public:
  FitProgress(const ProgressFn& progress, int64_t done, int64_t total)
      : progress_(progress), done_(done), total_(total) {}

  bool stopped() const { return stopped_; }

  void finish_one() {
    ++done_;
    tell();
  }

  void tell() {
    if (!progress_ || std::this_thread::get_id() != owner_ || told_ == done_) return;
    told_ = done_;
    try {
      progress_("judge", told_, total_);
    } catch (...) {
      stopped_ = true;
      throw;
    }
  }

 private:
  const ProgressFn& progress_;
  std::atomic<int64_t> done_;
  int64_t total_, told_ = 0;
  std::thread::id owner_ = std::this_thread::get_id();
  std::atomic<bool> stopped_ = false;
};

}  // namespace neurontune
