#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "log.h"

namespace neurontune::cli {

/// What a program ends with: 0 done, 2 wrong usage, 1 all else. What `body` throws, parsing and
/// working, becomes one line on stderr, after the findings in data where there are several. Results
/// that could not be printed are a failure.
int exit_code_of(const CLI::App& app, Log& log, const std::function<void()>& body);

}  // namespace neurontune::cli
