#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace neurontune::cli {

/// How wide and how plain the results on stdout are to be.
struct Screen {
  /// Of the terminal: COLUMNS, or what the terminal says. None where stdout is no terminal: a table
  /// then has the columns that it needs.
  std::optional<std::size_t> columns;
  bool colour = false;  ///< whether escape sequences are understood and wanted

  /// Of text in sentences: as wide as the terminal, but 80 at most.
  std::size_t text_columns() const;

  /// A sentence with line breaks, if it is to be read on a terminal.
  /// @param indent blanks before each line but the first
  std::string fitted(const std::string& sentence, std::size_t indent = 0) const;

  /// What a person should see first: in bold and colour where that is wanted.
  std::string emphasised(const std::string& text) const;
};

/// @param color "always", "never", or "auto": on a terminal, unless NO_COLOR is set
Screen screen(const std::string& color = "auto");

/// Columns of the terminal that a stream is: COLUMNS, or what the terminal says; none elsewhere.
std::optional<std::size_t> columns_of(int stream);

}  // namespace neurontune::cli
