#include "progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "base/log_message.h"
#include "screen.h"
#include "text_width.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kWidestBar = 24, kNarrowestBar = 6;
constexpr std::chrono::milliseconds kBetweenDraws(100);
constexpr std::chrono::seconds kBetweenLines(10), kBetweenTenths(1);

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

/// "85/s", "0.4/s"
std::string rate_text(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, rate < 10 ? "%.1f/s" : "%.0f/s", rate);
  return text;
}

/// "0:03 left", "2:05:00 left"
std::string time_left_text(double left) {
  const auto whole = static_cast<long>(std::min(left, 1e7));
  char text[64];
  if (whole < 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld left", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld left", whole / 3600, whole / 60 % 60,
                  whole % 60);
  return text;
}

std::string bar_text(std::size_t width, int64_t done, int64_t total) {
  const auto filled =
      static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(done) /
                               static_cast<double>(std::max<int64_t>(1, total)));
  return "[" + std::string(filled, '#') + std::string(width - filled, ' ') + "]";
}

}  // namespace

std::string progress_line(std::string_view stage, int64_t done, int64_t total, double seconds,
                          std::size_t columns) {
  const std::string name(stage);
  const double rate = static_cast<double>(done) / std::max(1e-9, seconds);
  const auto counts = "  " + std::to_string(done) + "/" + std::to_string(total);
  const auto speed = "  " + rate_text(rate);
  const auto left = "  " + time_left_text(static_cast<double>(total - done) / std::max(1e-9, rate));
  const auto width = text_width(name);
  const auto whole = width + counts.size() + speed.size() + left.size();
  if (whole + kNarrowestBar + 4 <= columns) {
    const auto padding =
        std::string(width < 14 && whole + kWidestBar + 18 - width <= columns ? 14 - width : 0, ' ');
    const auto bar = std::min(kWidestBar, columns - whole - padding.size() - 4);
    return name + padding + "  " + bar_text(bar, done, total) + counts + speed + left;
  }
  if (whole <= columns) return name + counts + speed + left;
  if (whole - speed.size() <= columns) return name + counts + left;
  if (width + left.size() <= columns) return name + left;
  return std::to_string(done) + "/" + std::to_string(total);
}

ProgressBar::ProgressBar(Log& log)
    : log_(log),
      drawn_here_(log.shows_progress() && ::isatty(STDERR_FILENO) != 0),
      told_(!drawn_here_ && log.takes(LogLevel::info)) {
  log_.set_before_line([this] { clear(); });
}

ProgressBar::~ProgressBar() {
  clear();
  log_.set_before_line({});
}

ProgressFn ProgressBar::callback() {
  const bool traced = log_.takes(LogLevel::trace);
  if (!drawn_here_ && !told_ && !traced) return {};
  return [this, traced](std::string_view stage, int64_t done, int64_t total) {
    if (traced) log_message(log_.callback(), LogLevel::trace, stage, ": ", done, " of ", total);
    const auto now = Clock::now();
    if (stage != stage_) begin_stage(stage, now);
    if (drawn_here_) draw({stage, done, total}, now);
    if (told_) tell({stage, done, total}, now);
  };
}

void ProgressBar::begin_stage(std::string_view stage, Clock::time_point now) {
  stage_ = stage;
  stage_start_ = last_ = now;
  last_done_ = 0;
}

void ProgressBar::draw(const Step& step, Clock::time_point now) {
  if (step.done < step.total && now - last_ < kBetweenDraws) return;
  last_ = now;
  const auto columns = columns_of(STDERR_FILENO).value_or(80);
  std::cerr << "\r\033[K"
            << progress_line(step.stage, step.done, step.total, seconds(now - stage_start_),
                             columns - 1)  // a full line would move the cursor to the next
            << std::flush;
  drawn_ = true;
}

void ProgressBar::tell(const Step& step, Clock::time_point now) {
  const bool tenth = (step.done - last_done_) * 10 >= step.total && now - last_ >= kBetweenTenths;
  if (step.done < step.total && !tenth && now - last_ < kBetweenLines) return;
  last_ = now;
  last_done_ = step.done;
  const double taken = seconds(now - stage_start_);
  const double rate = static_cast<double>(step.done) / std::max(1e-9, taken);
  const auto what = std::string(step.stage) + ": " + std::to_string(step.done) + " of " +
                    std::to_string(step.total);
  if (step.done < step.total)
    log_.write(LogLevel::info,
               what + ", " + rate_text(rate) + ", " +
                   time_left_text(static_cast<double>(step.total - step.done) / rate));
  else
    log_.write(LogLevel::info, what);
}

void ProgressBar::clear() {
  if (drawn_) std::cerr << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace neurontune::cli
