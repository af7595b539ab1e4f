#pragma once

#include <string>

namespace neurontune {

/// A sample that was left out because it could not be read.
struct SkippedReport {
  std::string sample;  ///< its id
  std::string reason;  ///< what is wrong with it
};

}  // namespace neurontune
