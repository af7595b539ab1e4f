#pragma once

#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/csv.h"

namespace neurontune {

/// Reads a table whose cells are parted by blanks, as CelebA's authors write theirs. Where the
/// first line is the number of rows, the second names all columns but the first; a table without
/// that has no header.
class BlankTableReader : public TableReader {
 public:
  /// @param key the first column's name, of a table that names the others
  /// @param columns all columns' names, of a table that names none; empty: its first line does
  /// @throws Error naming the file if it cannot be opened
  BlankTableReader(const std::filesystem::path& path, const std::string& key,
                   const std::vector<std::string>& columns);

  bool next(std::vector<std::string>& cells) override;
  int64_t line() const override { return first_line_; }
  bool quote_is_open() const override { return false; }

 private:
  bool read(std::vector<std::string>& cells);

  std::ifstream file_;
  int64_t line_ = 0;                            ///< that was read last
  int64_t first_line_ = 0;                      ///< of what `next` gave last
  std::deque<std::vector<std::string>> ahead_;  ///< read already, not yet given
};

}  // namespace neurontune
