#include "log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include "base/one_line.h"
#include "neurontune/base/error.h"

namespace neurontune::cli {
namespace {

constexpr const char* kOnStderr = "%l: %v";
constexpr const char* kInFile = "[%Y-%m-%d %H:%M:%S.%e] [%l] %v";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

/// Whether a file begins as kInFile writes it, "[2026-…", or is empty. Whatever else it holds would
/// be damaged: it may be the model.
bool begins_as_log(const std::string& path) {
  std::array<char, 6> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  if (file.gcount() == 0) return true;
  return start[0] == '[' && std::all_of(start.begin() + 1, start.begin() + 5, ::isdigit) &&
         start[5] == '-';
}

void check_log_file(const std::string& path) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  if (!std::filesystem::exists(status) || std::filesystem::is_character_file(status)) return;
  if (std::filesystem::is_directory(status))
    throw OptionError("--log-file is " + path + ", a folder; expected a file");
  if (!std::filesystem::is_regular_file(status) || !begins_as_log(path))
    throw OptionError("--log-file is " + path + ", which is no log; expected a new file, or a log");
}

/// "Permission denied" of spdlog's "Failed opening file x for writing: Permission denied".
std::string reason(const std::string& message) {
  const auto colon = message.rfind(": ");
  return colon == std::string::npos ? message : message.substr(colon + 2);
}

}  // namespace

struct Log::Loggers {
  spdlog::logger screen{"", std::make_shared<spdlog::sinks::ostream_sink_mt>(std::cerr, true)};
  spdlog::logger file{""};  ///< without a sink until a file is opened
  LogLevel level = LogLevel::warn;
  bool quiet = false;
  std::function<void()> before_line;

  void apply_levels() {
    screen.set_level(spdlog_level(quiet ? std::max(level, LogLevel::error) : level));
    file.set_level(file.sinks().empty() ? spdlog::level::off : spdlog_level(level));
    file.flush_on(file.level());  // a process that is killed loses no line
  }

  void clear_line() const {
    if (before_line) before_line();
  }
};

Log::Log() : loggers_(std::make_unique<Loggers>()) {
  loggers_->screen.set_pattern(kOnStderr);
  loggers_->apply_levels();
}

Log::~Log() = default;

void Log::set_level(LogLevel level) {
  loggers_->level = level;
  loggers_->apply_levels();
}

void Log::set_quiet() {
  loggers_->quiet = true;
  loggers_->apply_levels();
}

void Log::open_file(const std::string& path) {
  check_log_file(path);
  auto& file = loggers_->file;
  try {
    file.sinks() = {std::make_shared<spdlog::sinks::basic_file_sink_mt>(path)};
  } catch (const spdlog::spdlog_ex& error) {
    throw OptionError("--log-file is " + path +
                      ", which cannot be written: " + reason(error.what()));
  }
  file.set_pattern(kInFile);
  file.set_error_handler([this, path, told = false](const std::string& message) mutable {
    if (std::exchange(told, true)) return;
    loggers_->clear_line();
    loggers_->screen.warn(on_one_line(path + " cannot be written: " + reason(message)));
  });
  loggers_->apply_levels();
}

bool Log::shows_progress() const { return !loggers_->quiet && loggers_->level <= LogLevel::warn; }

bool Log::takes(LogLevel level) const {
  return loggers_->screen.should_log(spdlog_level(level)) ||
         loggers_->file.should_log(spdlog_level(level));
}

void Log::write(LogLevel level, std::string_view message) {
  if (!takes(level)) return;
  const auto line = on_one_line(std::string(message));
  if (loggers_->screen.should_log(spdlog_level(level))) {
    loggers_->clear_line();
    loggers_->screen.log(spdlog_level(level), line);
  }
  loggers_->file.log(spdlog_level(level), line);
}

void Log::note(const std::string& text) {
  write(LogLevel::info, text);
  if (shows_progress() && !loggers_->screen.should_log(spdlog::level::info))
    print("info: " + on_one_line(text) + "\n");
}

void Log::print(const std::string& text) {
  loggers_->clear_line();
  std::cerr << text;
}

void Log::finding(const std::string& text) {
  const auto line = on_one_line(text);
  loggers_->file.error(line);
  if (!loggers_->screen.should_log(spdlog::level::err)) return;
  loggers_->clear_line();
  std::cerr << line << '\n';
}

void Log::fail(const std::string& message) {
  const auto line = on_one_line(message);
  loggers_->file.error(line);
  loggers_->clear_line();
  std::cerr << "error: " << line << '\n';
}

LogFn Log::callback() {
  if (!takes(LogLevel::info)) return {};  // the library's warnings are values
  return [this](LogLevel level, std::string_view message) { write(level, message); };
}

void Log::set_before_line(std::function<void()> before_line) {
  loggers_->before_line = std::move(before_line);
}

}  // namespace neurontune::cli
