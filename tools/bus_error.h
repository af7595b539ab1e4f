#pragma once

namespace neurontune::cli {

/// Makes a mapped file that another process cuts short while it is read (SIGBUS) a failure of the
/// usual kind: one line that names the file, and exit code 1.
void report_bus_errors();

}  // namespace neurontune::cli
