#include "io/csv.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "io/regular_file.h"
#include "io/text_encoding.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();
constexpr size_t kLongestShown = 60;

bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\r'; }

void trim_end(std::string& cell) {
  while (!cell.empty() && is_blank(cell.back())) cell.pop_back();
}

}  // namespace

void check_is_text(const std::filesystem::path& path) {
  const RegularFile is_one(path);
  std::filebuf file;
  errno = 0;
  if (file.open(path, std::ios::in | std::ios::binary) == nullptr) {
    throw Error(path.string() + ": cannot be opened: " + std::generic_category().message(errno));
  }
  std::array<char, 4> start{};
  const auto count = file.sgetn(start.data(), start.size());
  const auto encoding = wide_encoding({start.data(), static_cast<size_t>(count)});
  if (!encoding.empty()) {
    throw Error(path.string() + ": is " + encoding + " text, expected UTF-8: save it as that");
  }
}

CsvReader::CsvReader(const std::filesystem::path& path) {
  check_is_text(path);
  file_.open(path, std::ios::in | std::ios::binary);
  if (file_.sgetc() == 0xEF) {  // a byte-order mark, EF BB BF
    for (int byte = 0; byte < 3; ++byte) file_.sbumpc();
  }
}

int CsvReader::take() {
  const int c = file_.sbumpc();
  if (c == '\n') ++line_;
  return c;
}

void CsvReader::read_quoted(std::string& cell) {
  take();
  for (int c = take(); c != kEnd; c = take()) {
    if (c == '"') {
      if (file_.sgetc() != '"') return;
      take();
    }
    cell += static_cast<char>(c);
  }
  quote_is_open_ = true;
}

/// Whether another cell of the record follows.
bool CsvReader::read_cell(std::string& cell) {
  cell.clear();
  while (is_blank(file_.sgetc())) take();
  const bool quoted = file_.sgetc() == '"';
  if (quoted) read_quoted(cell);
  const size_t kept = cell.size();  // blanks inside the quotes belong to the cell
  std::string rest;
  int c = take();
  for (; c != ',' && c != '\n' && c != kEnd; c = take()) rest += static_cast<char>(c);
  trim_end(rest);
  cell.resize(kept);
  cell += rest;
  return c == ',';
}

bool CsvReader::next(std::vector<std::string>& cells) {
  while (file_.sgetc() != kEnd && !quote_is_open_) {
    first_line_ = line_;
    size_t count = 0;
    bool more = true;
    while (more) {
      if (count == cells.size()) cells.emplace_back();  // old cells keep their memory
      more = read_cell(cells[count++]);
    }
    cells.resize(count);
    const bool is_empty_line = count == 1 && cells[0].empty();
    if (!is_empty_line) return true;
  }
  return false;
}

std::string shown_cell(const std::string& cell) {
  std::string shown;
  for (const char c : cell) {
    const bool starts_character = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (shown.size() >= kLongestShown && starts_character) return shown + "…";
    shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return shown;
}

}  // namespace neurontune
