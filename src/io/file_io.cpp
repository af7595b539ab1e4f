#include "io/file_io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "io/regular_file.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr std::size_t kReadAtOnce = 4096;  // beyond the size that a file had when it was opened
constexpr std::string_view kPartial = ".partial-";  // and the host and process that write it

std::string reason(int error) { return std::generic_category().message(error); }

/// What may be replaced by a rename: a regular file, or nothing.
void check_replaceable(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::symlink_status(path, ignored);
  if (std::filesystem::is_symlink(status))
    throw Error(path.string() +
                ": cannot be written: it is a symbolic link, expected a regular file or none");
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw Error(path.string() +
                ": cannot be written: it is no regular file, which another could replace");
}

uint64_t size_of(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

/// A process that no longer runs, on this host.
bool has_ended(pid_t process) { return process > 0 && ::kill(process, 0) != 0 && errno == ESRCH; }

/// Whether a hidden file was left by a process that ended. Of another host's nothing is known.
bool is_abandoned(const std::string& name) {
  const std::string ours = host_name() + "-";
  const auto mark = name.rfind(std::string(kPartial) + ours);
  if (!name.starts_with('.') || mark == std::string::npos) return false;
  return has_ended(
      static_cast<pid_t>(std::atol(name.c_str() + mark + kPartial.size() + ours.size())));
}

}  // namespace

std::string sized(const std::filesystem::path& file) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  return file.string() + (error ? "" : ", " + std::to_string(bytes) + " bytes");
}

bool entry_exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

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
  check_replaceable(path_);
  const bool kept = unfinished_ == Unfinished::kept;
  std::string hidden = ".";
  hidden += path_.filename().string();
  if (kept)
    hidden += ".partial";
  else
    hidden.append(kPartial).append(host_name()).append("-").append(std::to_string(::getpid()));
  partial_path_ = path_.parent_path() / hidden;
  if (kept)
    check_replaceable(partial_path_);
  else
    ::unlink(partial_path_.c_str());  // of an earlier process of this number
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (kept ? 0 : O_EXCL);
  file_ = ::open(partial_path_.c_str(), flags, 0666);
  if (file_ < 0) fail("created", errno);
  if (kept && ::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(file_, -1));
    throw Error(path_.string() + " is being written by another process");
  }
  found_size_ = size_of(file_);
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
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (is_abandoned(entry.path().filename().string()))
      std::filesystem::remove(entry.path(), ignored);
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code code;
  if (std::filesystem::is_symlink(folder, code) && !std::filesystem::exists(folder, code))
    throw Error(folder.string() + ": is a link to " +
                std::filesystem::read_symlink(folder, code).string() +
                ", which is not there; expected a folder or none");
  std::filesystem::create_directories(folder, code);
  if (code || !std::filesystem::is_directory(folder))
    throw Error(folder.string() + ": cannot be made a folder" +
                (code ? ": " + code.message() : ", since there is a file of that name"));
}

}  // namespace neurontune
