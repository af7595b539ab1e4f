#include "bus_error.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// What a signal handler calls must not take memory or locks: files are read and lines are written
// with system calls alone.

namespace neurontune::cli {
namespace {

constexpr int kFailed = 1;
constexpr std::size_t kLongestLine = 8192;  // a path has at most 4096 bytes

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// The number that the text starts with, in hexadecimal; it is taken off.
uint64_t take_number(std::string_view& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  uint64_t value = 0;
  while (!text.empty() && kDigits.find(text[0]) != std::string_view::npos) {
    value = value * 16 + kDigits.find(text[0]);
    text.remove_prefix(1);
  }
  return value;
}

/// Prints the path of a line of /proc/self/maps, "begin-end rwxp offset device inode  path", if the
/// address is in it.
bool print_if_mapped(std::string_view line, uint64_t address) {
  const uint64_t begin = take_number(line);
  if (!line.starts_with('-')) return false;
  line.remove_prefix(1);
  const uint64_t end = take_number(line);
  const auto path = line.find('/');
  if (address < begin || address >= end || path == std::string_view::npos) return false;
  print(line.substr(path));
  return true;
}

/// Prints the file that is mapped at an address, or else "a mapped file".
void print_file_at(uint64_t address) {
  std::array<char, kLongestLine> line;
  std::size_t length = 0;
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  for (char c = 0; maps >= 0 && ::read(maps, &c, 1) == 1;) {
    if (c != '\n') {
      if (length < line.size()) line[length++] = c;
      continue;
    }
    if (print_if_mapped({line.data(), length}, address)) return;
    length = 0;
  }
  print("a mapped file");
}

void on_bus_error(int, siginfo_t* info, void*) {
  print("error: ");
  print_file_at(reinterpret_cast<uintptr_t>(info->si_addr));
  print(
      ": was cut short, or could not be read, while it was in use; expected it to stay as it is\n");
  ::_exit(kFailed);
}

}  // namespace

void report_bus_errors() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace neurontune::cli
