#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// Every failure of the library: one line that names the file or tensor, what was found and what
/// was expected.
class NEURONTUNE_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting that no data could make valid: an unknown name or a value out of its range.
class NEURONTUNE_EXPORT OptionError : public Error {
 public:
  using Error::Error;
};

/// Faults of data, all that were found: its text names the first.
class NEURONTUNE_EXPORT DataError : public Error {
 public:
  /// @param source the file or folder the findings are of
  /// @param findings at least one, each of one line that does not name the source
  DataError(std::string source, std::vector<std::string> findings)
      : Error(summary(source, findings)),
        source_(std::move(source)),
        findings_(std::move(findings)) {}

  const std::string& source() const { return source_; }  ///< the file or folder
  /// A line each, at least one.
  const std::vector<std::string>& findings() const { return findings_; }

 private:
  static std::string summary(const std::string& source, const std::vector<std::string>& findings) {
    if (findings.size() == 1) return source + ": " + findings.front();
    return source + ": " + std::to_string(findings.size()) +
           " findings, the first: " + findings.front();
  }

  std::string source_;
  std::vector<std::string> findings_;
};

}  // namespace neurontune
