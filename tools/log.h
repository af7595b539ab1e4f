#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "neurontune/base/log.h"

namespace neurontune::cli {

/// What the program tells beside its results: a message is a line on stderr, "warning: …", and in
/// the log file where there is one, with time and level.
///
/// The level is of both. The error that ends the program is always told on stderr.
class Log {
 public:
  Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void set_level(LogLevel level);

  /// Errors alone on stderr, and no progress; the file is as before.
  void set_quiet();

  /// Appends to a file from now on, and makes the folder it lies in.
  /// @throws OptionError if it cannot be written, or holds anything but such a log
  void open_file(const std::string& path);

  /// Whether progress is to be drawn: a person who wants no warnings wants none of it.
  bool shows_progress() const;

  bool takes(LogLevel level) const;
  void write(LogLevel level, std::string_view message);

  /// A message of level info that stands on stderr at level warn too: what a person should know
  /// though nothing is wrong.
  void note(const std::string& text);

  /// What a model prints, as it is; on stderr alone.
  void print(const std::string& text);

  /// A finding that belongs to the error to come; on stderr without "error: ".
  void finding(const std::string& text);

  /// The last line: "error: …".
  void fail(const std::string& message);

  /// For the library; this object must outlive it. Empty where only warnings are wanted.
  LogFn callback();

  /// Called before each line on stderr, to take away what is drawn there; empty for nothing.
  void set_before_line(std::function<void()> before_line);

 private:
  struct Loggers;  // spdlog's fmt and LibTorch's clash in one file
  std::unique_ptr<Loggers> loggers_;
};

}  // namespace neurontune::cli
