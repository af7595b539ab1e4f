#pragma once

#include <stdexcept>
#include <string>

namespace neurontune {

/// Every failure of the library: one line that names the file or tensor, what was found and what
/// was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting that no data could make valid: an unknown name or a value out of its range.
class OptionError : public Error {
 public:
  using Error::Error;
};

}  // namespace neurontune
