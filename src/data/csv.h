#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace neurontune {

/// Reads a CSV record by record (RFC 4180): cells in quotes may hold commas, doubled quotes and
/// line breaks. Lines end with \n or \r\n; a byte-order mark and empty lines are passed over, and
/// blanks around a cell do not count.
class CsvReader {
 public:
  /// @throws Error naming the file if it cannot be opened
  explicit CsvReader(const std::filesystem::path& path);

  /// Reads the next record; false at the end of the file.
  bool next(std::vector<std::string>& cells);

  /// The line, from 1, at which the last record began.
  int64_t line() const { return first_line_; }

  /// Whether the file ended inside the last record's quotes; it then has been read as far as it
  /// goes.
  bool quote_is_open() const { return quote_is_open_; }

 private:
  int take();
  bool read_cell(std::string& cell);
  void read_quoted(std::string& cell);

  std::filebuf file_;
  int64_t line_ = 1;
  int64_t first_line_ = 0;
  bool quote_is_open_ = false;
};

/// A cell in a message: on one line and not too long.
std::string shown_cell(const std::string& cell);

}  // namespace neurontune
