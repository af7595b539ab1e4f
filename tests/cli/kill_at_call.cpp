// Preloaded into the program: ends it by SIGKILL just before the n-th call that changes files under
// a folder, as a power cut or an out-of-memory killer may.
//
// NEURONTUNE_KILL_UNDER: the folder. NEURONTUNE_KILL_AT: n, from 1; 0 counts only. At exit the
// number of calls goes to the file NEURONTUNE_KILL_COUNT. A write that it ends is done by half
// first.

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>

namespace {

std::atomic<long> calls{0};

const char* setting(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

bool is_under(const char* path) {
  const char* folder = setting("NEURONTUNE_KILL_UNDER");
  return *folder != '\0' && path && ::strncmp(path, folder, ::strlen(folder)) == 0;
}

bool is_under(int file) {
  char path[4096];
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto length = ::readlink(link.c_str(), path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return is_under(path);
}

/// Whether the process must end at this call.
bool is_due() { return ++calls == ::atol(setting("NEURONTUNE_KILL_AT")); }

void end() { ::kill(::getpid(), SIGKILL); }

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

template <typename Call>
auto changing(bool counted, Call call) {
  if (counted && is_due()) end();
  return call();
}

struct Report {
  ~Report() {
    const char* path = setting("NEURONTUNE_KILL_COUNT");
    if (*path == '\0') return;
    if (FILE* file = ::fopen(path, "w")) {
      ::fprintf(file, "%ld", calls.load());
      ::fclose(file);
    }
  }
} report;

}  // namespace

extern "C" {

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  static auto* const original = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (is_under(file) && is_due()) {
    original(file, data, size / 2, offset);
    end();
  }
  return original(file, data, size, offset);
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  return pwrite(file, data, size, offset);
}

ssize_t write(int file, const void* data, size_t size) {
  static auto* const original = next<ssize_t(int, const void*, size_t)>("write");
  if (is_under(file) && is_due()) {
    original(file, data, size / 2);
    end();
  }
  return original(file, data, size);
}

int ftruncate(int file, off_t size) {
  static auto* const original = next<int(int, off_t)>("ftruncate");
  return changing(is_under(file), [&] { return original(file, size); });
}

int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

int fsync(int file) {
  static auto* const original = next<int(int)>("fsync");
  return changing(is_under(file), [&] { return original(file); });
}

int fdatasync(int file) {
  static auto* const original = next<int(int)>("fdatasync");
  return changing(is_under(file), [&] { return original(file); });
}

int rename(const char* from, const char* to) {
  static auto* const original = next<int(const char*, const char*)>("rename");
  return changing(is_under(to), [&] { return original(from, to); });
}

int unlink(const char* path) {
  static auto* const original = next<int(const char*)>("unlink");
  return changing(is_under(path), [&] { return original(path); });
}

int remove(const char* path) {
  static auto* const original = next<int(const char*)>("remove");
  return changing(is_under(path), [&] { return original(path); });
}

int mkdir(const char* path, mode_t mode) {
  static auto* const original = next<int(const char*, mode_t)>("mkdir");
  return changing(is_under(path), [&] { return original(path, mode); });
}

}  // extern "C"
