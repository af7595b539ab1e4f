#include "io/blank_table.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "neurontune/base/error.h"

namespace neurontune {
namespace {

bool is_count(const std::vector<std::string>& cells) {
  return cells.size() == 1 && std::all_of(cells[0].begin(), cells[0].end(),
                                          [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

BlankTableReader::BlankTableReader(const std::filesystem::path& path, const std::string& key,
                                   const std::vector<std::string>& columns) {
  check_is_text(path);
  file_.open(path);
  std::vector<std::string> first;
  if (!read(first)) return;
  if (is_count(first)) {
    std::vector<std::string> header;
    read(header);
    header.insert(header.begin(), key);
    ahead_ = {header};
  } else if (columns.empty()) {
    ahead_ = {first};
  } else {
    ahead_ = {columns, first};
  }
}

/// The cells of the next line that is not empty; false at the end.
bool BlankTableReader::read(std::vector<std::string>& cells) {
  cells.clear();
  for (std::string text; cells.empty() && std::getline(file_, text);) {
    ++line_;
    std::istringstream words(text);
    for (std::string cell; words >> cell;) cells.push_back(cell);
  }
  return !cells.empty();
}

bool BlankTableReader::next(std::vector<std::string>& cells) {
  if (ahead_.empty()) {
    const bool found = read(cells);
    first_line_ = line_;
    return found;
  }
  cells = std::move(ahead_.front());
  ahead_.pop_front();
  first_line_ = line_;
  return true;
}

}  // namespace neurontune
