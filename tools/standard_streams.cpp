#include "standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>

#include "neurontune/base/error.h"

namespace neurontune::cli {

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one. What is only for reading refuses what is printed.
    open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);  // NOLINT
  }
  std::signal(SIGPIPE, SIG_DFL);
}

void finish_stdout() {
  std::cout.flush();
  if (std::cout && std::ferror(stdout) == 0) return;
  // Others may have changed errno since: one more line says why again.
  const bool written = write(STDOUT_FILENO, "\n", 1) == 1;
  throw Error("stdout cannot be written" +
              (written ? "" : ": " + std::generic_category().message(errno)));
}

}  // namespace neurontune::cli
