#include "progress_bar.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/log_message.h"

namespace neurontune::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWidth = 24;
constexpr std::chrono::milliseconds kBetweenDraws(100);

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

ProgressBar::ProgressBar(Log& log)
    : log_(log), shown_(log.shows_progress() && ::isatty(STDERR_FILENO) != 0) {
  log_.set_before_line([this] { clear(); });
}

ProgressBar::~ProgressBar() {
  clear();
  log_.set_before_line({});
}

ProgressFn ProgressBar::callback() {
  const bool traced = log_.takes(LogLevel::trace);
  if (!shown_ && !traced) return {};
  return [this, traced](std::string_view stage, int64_t done, int64_t total) {
    if (traced) log_message(log_.callback(), LogLevel::trace, stage, ": ", done, " of ", total);
    if (shown_) draw(stage, done, total);
  };
}

void ProgressBar::draw(std::string_view stage, int64_t done, int64_t total) {
  const auto now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = last_draw_ = now;
  }
  if (done < total && now - last_draw_ < kBetweenDraws) return;
  last_draw_ = now;

  const double rate = static_cast<double>(done) / std::max(1e-9, seconds(now - stage_start_));
  const auto left = static_cast<long>(static_cast<double>(total - done) / std::max(1e-9, rate));
  const auto filled = static_cast<std::size_t>(kWidth * done / total);
  char text[200];
  std::snprintf(text, sizeof text, "\r\033[K%-14s [%s%s] %lld/%lld  %.0f/s  %ld:%02ld left",
                stage_.c_str(), std::string(filled, '#').c_str(),
                std::string(kWidth - filled, ' ').c_str(), static_cast<long long>(done),
                static_cast<long long>(total), rate, left / 60, left % 60);
  std::cerr << text << std::flush;
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) std::cerr << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace neurontune::cli
