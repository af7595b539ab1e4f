#pragma once

namespace neurontune::cli {

/// Makes stdin, stdout and stderr safe to use: where one was closed when the program started, a
/// file opened later would get its number, and with it what is printed. Writing to a closed stdout
/// fails. A reader that goes away ends the program quietly, whatever its parent does about SIGPIPE.
void open_standard_streams();

/// Writes out what is printed to stdout.
/// @throws Error if any of it could not be written
void finish_stdout();

}  // namespace neurontune::cli
