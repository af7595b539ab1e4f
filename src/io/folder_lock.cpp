#include "io/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "io/file_io.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

std::string this_process() {
  return "process " + std::to_string(::getpid()) + " on " + host_name();
}

/// What the holder wrote, or a word for it.
std::string holder_of(int file) {
  char text[512];
  const auto read = ::pread(file, text, sizeof text, 0);
  return read > 0 ? std::string(text, static_cast<std::size_t>(read)) : "another process";
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const auto path = folder / kFile;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (file_ < 0)
    throw Error(folder.string() +
                ": cannot be written into: " + std::generic_category().message(errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) {
    const auto holder = this_process();
    if (::ftruncate(file_, 0) == 0 && ::pwrite(file_, holder.data(), holder.size(), 0) < 0)
      errno = 0;  // the name of the holder is only for messages
  } else if (errno == EWOULDBLOCK) {
    const auto holder = holder_of(file_);
    ::close(std::exchange(file_, -1));
    throw Error(folder.string() + ": is being written into by " + holder +
                "; wait for it, or choose another folder");
  }
  if (!is_current(path)) {
    ::close(std::exchange(file_, -1));
    throw Error(folder.string() + ": was removed by another process; try again");
  }
}

bool FolderLock::is_current(const std::filesystem::path& path) const {
  struct stat held {
  }, named{};
  return ::fstat(file_, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace neurontune
