#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "log.h"
#include "neurontune/base/error.h"

namespace neurontune::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kNotAsRequired = 3;
inline constexpr int kErmHeadKept = 4;

/// Results that are computed and printed, but fail a check of --require or --baseline.
class NotAsRequired : public DataError {
 public:
  using DataError::DataError;
};

/// Thrown when all is done and printed, to end with a code that is no failure.
struct Ended {
  int code;
};

/// What a program ends with: one of the codes above. What `body` throws, parsing and working,
/// becomes one line on stderr, after the findings in data where there are several. Results that
/// could not be printed are a failure.
int exit_code_of(const CLI::App& app, Log& log, const std::function<void()>& body);

}  // namespace neurontune::cli
