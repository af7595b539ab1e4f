#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace neurontune {

/// Gives the rows of a table one by one, the first of which is its header.
class TableReader {
 public:
  virtual ~TableReader() = default;

  /// Reads the next row; false at the end of the file.
  virtual bool next(std::vector<std::string>& cells) = 0;

  /// The line, from 1, at which the last row began.
  virtual int64_t line() const = 0;

  /// Whether the file ended inside the last row's quotes; it then has been read as far as it goes.
  virtual bool quote_is_open() const = 0;
};

/// Reads a CSV record by record (RFC 4180): cells in quotes may hold commas, doubled quotes and
/// line breaks. Lines end with \n or \r\n; a byte-order mark and empty lines are passed over, and
/// blanks around a cell do not count.
class CsvReader : public TableReader {
 public:
  /// @throws Error naming the file if it cannot be opened or is UTF-16 or UTF-32 text
  explicit CsvReader(const std::filesystem::path& path);

  bool next(std::vector<std::string>& cells) override;
  int64_t line() const override { return first_line_; }
  bool quote_is_open() const override { return quote_is_open_; }

 private:
  int take();
  bool read_cell(std::string& cell);
  void read_quoted(std::string& cell);

  std::filebuf file_;
  int64_t line_ = 1;
  int64_t first_line_ = 0;
  bool quote_is_open_ = false;
};

/// Looks whether a file can be opened and is text of 8-bit units.
/// @throws Error naming the file if not
void check_is_text(const std::filesystem::path& path);

/// A cell in a message: on one line and not too long.
std::string shown_cell(const std::string& cell);

}  // namespace neurontune
