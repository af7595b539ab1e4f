#include "neurontune/data/manifest.h"

#define CSV_IO_NO_THREAD  // reading ahead in a thread gains nothing here
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation"  // it cuts names of files on purpose
#endif
#include <libfccp/csv.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>
#include <tuple>

#include "neurontune/error.h"

namespace neurontune {
namespace {

// Every name a column may have: 4 of the sample, 2 of the label, 5 of the attribute, the split.
constexpr std::array<const char*, 12> kColumns = {
    "img_filename", "filename",  "path",     "img_id", "y",    "label", "a",
    "place",        "attribute", "spurious", "group",  "split"};
constexpr size_t kSample = 0, kLabel = 4, kAttribute = 6, kGroup = 10, kSplit = 11;
constexpr size_t kAbsent = kColumns.size();
constexpr const char* kGroupColumn = kColumns[kGroup];

constexpr std::array<const char*, 3> kSplits = {"train", "val", "test"};

using Quotes = io::double_quote_escape<',', '"'>;
using Trim = io::trim_chars<' ', '\t'>;
using Reader =
    io::CSVReader<kColumns.size(), Trim, Quotes, io::throw_on_overflow, io::empty_line_comment>;
using Cells = std::array<std::string, kColumns.size()>;

/// What of the columns is read.
struct Columns {
  size_t sample, label, attribute, split;  ///< attribute may be kAbsent
};

/// The first of the candidates that the header has, or kAbsent.
size_t find_column(const Reader& reader, size_t first, size_t last) {
  for (size_t column = first; column < last; ++column) {
    if (reader.has_column(kColumns[column])) return column;
  }
  return kAbsent;
}

/// The header's columns, to show.
std::string columns_found(const std::filesystem::path& csv) {
  io::LineReader reader(csv.string());
  std::string list;
  char* line = reader.next_line();
  while (line != nullptr && io::empty_line_comment::is_comment(line)) line = reader.next_line();
  while (line != nullptr) {
    char *begin = nullptr, *end = nullptr;
    io::detail::chop_next_column<Quotes>(line, begin, end);
    Trim::trim(begin, end);
    Quotes::unescape(begin, end);
    list += (list.empty() ? "" : ", ") + std::string(begin);
  }
  return list;
}

Columns read_header(Reader& reader, const std::filesystem::path& csv) {
  std::apply(
      [&](auto... names) {
        reader.read_header(io::ignore_extra_column | io::ignore_missing_column, names...);
      },
      kColumns);
  const Columns columns{
      find_column(reader, kSample, kLabel), find_column(reader, kLabel, kAttribute),
      find_column(reader, kAttribute, kSplit), find_column(reader, kSplit, kAbsent)};
  std::string wanted;
  if (columns.sample == kAbsent) wanted = "a sample (img_filename, filename, path or img_id)";
  if (columns.label == kAbsent)
    wanted += (wanted.empty() ? "" : ", ") + std::string("a label (y or label)");
  if (columns.split == kAbsent)
    wanted += (wanted.empty() ? "" : ", ") + std::string("a split (split)");
  if (!wanted.empty()) {
    throw Error(csv.string() + ": the header lacks a column for " + wanted +
                "; columns found: " + columns_found(csv));
  }
  return columns;
}

/// An integer from 0 to the largest int32: what labels and groups can reasonably be.
int64_t parse_index(const std::string& where, size_t column, const std::string& cell) {
  int64_t value = -1;
  const char* const last = cell.data() + cell.size();
  const auto [end, error] = std::from_chars(cell.data(), last, value);
  if (error != std::errc() || end != last || value < 0 ||
      value > std::numeric_limits<int32_t>::max()) {
    throw Error(where + ": " + kColumns[column] + " is `" + cell +
                "`, expected an integer from 0 to 2147483647");
  }
  return value;
}

const char* parse_split(const std::string& where, const std::string& cell) {
  for (size_t split = 0; split < kSplits.size(); ++split) {
    if (cell == kSplits[split] || cell == std::to_string(split)) return kSplits[split];
  }
  throw Error(where + ": split is `" + cell + "`, expected 0, 1, 2, train, val or test");
}

/// Reads every row; under a group column, `attribute` still is the group.
void read_rows(Reader& reader, const Columns& columns, Manifest& manifest) {
  Cells cells;
  const auto next_row = [&] {
    return std::apply([&](auto&... cell) { return reader.read_row(cell...); }, cells);
  };
  while (next_row()) {
    ManifestRow row;
    row.line = reader.get_file_line();
    const std::string where = manifest.path.string() + ": line " + std::to_string(row.line);
    row.sample = cells[columns.sample];
    if (row.sample.empty()) throw Error(where + ": " + kColumns[columns.sample] + " is empty");
    row.label = parse_index(where, columns.label, cells[columns.label]);
    if (columns.attribute != kAbsent && !cells[columns.attribute].empty()) {
      row.attribute = parse_index(where, columns.attribute, cells[columns.attribute]);
    }
    manifest.splits[parse_split(where, cells[columns.split])].push_back(std::move(row));
  }
}

template <class Action>
void for_each_row(Manifest& manifest, const Action& action) {
  for (auto& [split, rows] : manifest.splits) {
    for (ManifestRow& row : rows) action(row);
  }
}

/// Replaces the groups y·A + a by a. A is the smallest number of attributes by which every group is
/// at most its label's last.
void attributes_from_groups(Manifest& manifest) {
  int64_t attributes = 1;
  const ManifestRow* widest = nullptr;  // the row that makes A as large as it is
  for_each_row(manifest, [&](const ManifestRow& row) {
    if (!row.attribute) return;
    const int64_t needed = *row.attribute / (row.label + 1) + 1;  // group < (y + 1) · A
    if (widest == nullptr || needed > attributes) {
      attributes = needed;
      widest = &row;
    }
  });
  const auto described = [](const ManifestRow& row, int64_t group) {
    return "line " + std::to_string(row.line) + " (label " + std::to_string(row.label) + ", " +
           kGroupColumn + " " + std::to_string(group) + ")";
  };
  const int64_t widest_group = widest != nullptr ? *widest->attribute : 0;
  for_each_row(manifest, [&](ManifestRow& row) {
    if (!row.attribute) return;
    const int64_t group = *row.attribute;
    if (group / attributes != row.label) {
      throw Error(manifest.path.string() + ": " + described(row, group) + " contradicts " +
                  described(*widest, widest_group) + ": " + kGroupColumn +
                  " should be label * A + attribute, and the latter needs A of at least " +
                  std::to_string(attributes));
    }
    row.attribute = group % attributes;
  });
}

Manifest read_manifest(Reader& reader, const std::filesystem::path& csv) {
  Manifest manifest;
  manifest.path = csv;
  const Columns columns = read_header(reader, csv);
  read_rows(reader, columns, manifest);
  if (manifest.splits.empty()) throw Error(csv.string() + ": has no row below its header");
  if (columns.attribute == kGroup) attributes_from_groups(manifest);
  manifest.has_attributes = columns.attribute != kAbsent;
  for_each_row(manifest, [&](const ManifestRow& row) {
    manifest.has_attributes = manifest.has_attributes && row.attribute.has_value();
  });
  return manifest;
}

}  // namespace

Manifest Manifest::read(const std::filesystem::path& csv) {
  const std::string where = csv.string();
  std::error_code ignored;
  if (std::filesystem::is_directory(csv, ignored)) {
    throw Error(where + ": is a folder, expected a CSV file");
  }
  try {
    Reader reader(where);
    const auto line = [&] { return where + ": line " + std::to_string(reader.get_file_line()); };
    try {
      return read_manifest(reader, csv);
    } catch (const io::error::header_missing&) {
      throw Error(where + ": is empty, expected a CSV header");
    } catch (const io::error::duplicated_column_in_header& error) {
      throw Error(where + ": the header has column `" + error.column_name + "` twice");
    } catch (const io::error::too_few_columns&) {
      throw Error(line() + " has fewer columns than the header");
    } catch (const io::error::too_many_columns&) {
      throw Error(line() + " has more columns than the header");
    } catch (const io::error::escaped_string_not_closed&) {
      throw Error(line() + " has a quote that is not closed on it");
    }
  } catch (const io::error::can_not_open_file& error) {
    throw Error(where +
                ": cannot be opened: " + std::generic_category().message(error.errno_value));
  } catch (const io::error::base& error) {
    throw Error(where + ": " + error.what());
  }
}

}  // namespace neurontune
