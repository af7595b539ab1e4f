#include "data/file_io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "data/regular_file.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr std::size_t kReadAtOnce = 4096;  // beyond the size that a file had when it was opened
constexpr std::string_view kPartial = ".partial-";  // and the process

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const RegularFile file(path);
  std::string content(file.size(), '\0');
  std::size_t done = 0;
  while (true) {  // to its end, wherever that is by now
    if (done == content.size()) content.resize(content.size() + kReadAtOnce);
    const ssize_t count = ::read(file.descriptor(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(path.string() + ": cannot be read: " + reason(errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  content.resize(done);
  return content;
}

PartialFile::PartialFile(std::filesystem::path path, Unfinished unfinished)
    : path_(std::move(path)), unfinished_(unfinished) {
  const bool kept = unfinished_ == Unfinished::kept;
  std::string hidden = ".";
  hidden += path_.filename().string();
  if (kept)
    hidden += ".partial";
  else
    hidden.append(kPartial).append(std::to_string(::getpid()));
  partial_path_ = path_.parent_path() / hidden;
  file_ =
      ::open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (kept ? 0 : O_TRUNC), 0666);
  if (file_ < 0) fail("created", errno);
  if (kept && ::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(file_, -1));
    throw Error(path_.string() + " is being written by another process");
  }
}

PartialFile::~PartialFile() {
  if (file_ < 0) return;
  ::close(file_);
  if (unfinished_ == Unfinished::removed) ::unlink(partial_path_.c_str());
}

void PartialFile::sync() {
  if (::fdatasync(file_) != 0) fail("written", errno);
}

void PartialFile::resize(uint64_t size) {
  if (::ftruncate(file_, static_cast<off_t>(size)) != 0) fail("written", errno);
}

void PartialFile::write_at(const void* data, uint64_t size, uint64_t offset) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::pwrite(file_, next, size, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("written", errno);
    }
    next += written;
    size -= static_cast<uint64_t>(written);
    offset += static_cast<uint64_t>(written);
  }
}

void PartialFile::commit() {
  const int closed = ::close(std::exchange(file_, -1));
  if (closed != 0 || ::rename(partial_path_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(partial_path_.c_str());
    fail("written", error);
  }
}

void PartialFile::fail(const char* action, int error) const {
  throw Error(path_.string() + ": cannot be " + action + ": " + reason(error));
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  PartialFile file(path);
  file.write_at(content.data(), content.size(), 0);
  file.commit();
}

void remove_abandoned(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto mark = name.rfind(kPartial);
    if (!name.starts_with('.') || mark == std::string::npos) continue;
    const auto process = static_cast<pid_t>(std::atol(name.c_str() + mark + kPartial.size()));
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH)
      std::filesystem::remove(entry.path(), ignored);
  }
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code || !std::filesystem::is_directory(folder))
    throw Error(folder.string() + ": cannot be made a folder" +
                (code ? ": " + code.message() : ", since there is a file of that name"));
}

}  // namespace neurontune
